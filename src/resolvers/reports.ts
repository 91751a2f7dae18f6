import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { DomainError } from '../lib/errors.js';
import { decodeAnyId, encodeId, encodeMessageId, type IdType } from '../lib/ids.js';
import { ReportContentInput, ReportContentPayload, ReportType } from '../schema/reports.js';
import type { ReportRow, ReportService, ReportTarget, ReportTargetType } from '../services/reports.js';
import type { Context } from './context.js';

const TARGETS: Partial<Record<IdType, ReportTargetType>> = { User: 'USER', Message: 'MESSAGE', Chat: 'CHAT', Group: 'GROUP' };

@Resolver(() => ReportType)
export class ReportResolver {
  constructor(private readonly reports: ReportService) {}

  @Mutation(() => ReportContentPayload)
  async reportContent(@Arg('input', () => ReportContentInput) input: ReportContentInput, @Ctx() context: Context): Promise<object> {
    return { report: await this.reports.report(context.requireViewer(), targetOf(input.targetId), input.reason, input.note ?? null) };
  }

  @FieldResolver()
  id(@Root() report: ReportRow): string {
    return encodeId('Report', report.id);
  }

  @FieldResolver()
  targetId(@Root() report: ReportRow): string {
    return targetIdOf(report);
  }
}

export function targetIdOf({ targetType, targetId, targetSeq }: Pick<ReportRow, 'targetType' | 'targetId' | 'targetSeq'>): string {
  if (targetType === 'MESSAGE') return encodeMessageId(targetId, targetSeq!);
  return encodeId(targetType === 'USER' ? 'User' : targetType === 'CHAT' ? 'Chat' : 'Group', targetId);
}

function targetOf(id: string): ReportTarget {
  const { type, uuid, seq } = decodeAnyId(id, 'targetId');
  const target = TARGETS[type];
  if (!target) throw new DomainError('INVALID_ID', 'A user, message, chat or group can be reported.', { field: 'targetId' });
  return { type: target, id: uuid, seq: seq ?? null };
}
