import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { decodeId, encodeId, encodeMessageId } from '../lib/ids.js';
import { ForwardArgs } from '../schema/connection.js';
import { AttachmentType } from '../schema/file.js';
import {
  AppealModerationInput, AppealModerationPayload, BanFromChatInput, BanFromChatPayload, DecideModerationCaseInput, DecideModerationCasePayload, LiftChatBanInput, LiftChatBanPayload, ModerationBanPages, ModerationBanType,
  ModerationCasePages, ModerationCaseState, ModerationCaseType, ModerationRulesType, SilenceChatMemberInput, SilenceChatMemberPayload, UpdateModerationRulesInput, UpdateModerationRulesPayload,
} from '../schema/moderation.js';
import { UserType } from '../schema/user.js';
import { ViewerType } from '../schema/viewer.js';
import { MAX_ATTACHMENTS } from '../services/attachments.js';
import { FOREVER } from '../services/chat-settings.js';
import { chatMember } from '../services/loaders/chats.js';
import type { CaseRow, CaseState } from '../services/loaders/moderation.js';
import { userById, type UserRow } from '../services/loaders/users.js';
import type { ModerationCases } from '../services/moderation/cases.js';
import type { ModerationRulesService, RulesOf } from '../services/moderation/rules.js';
import type { BanRow, SanctionService } from '../services/moderation/sanctions.js';
import { AtMost } from './at-most.js';
import { shownAttachments } from './attachments.js';
import type { Context } from './context.js';
import { targetIdOf } from './reports.js';

const rulesOf = ({ chatId, groupId }: { chatId?: string | null; groupId?: string | null }): RulesOf => ({
  chatId: chatId == null ? null : decodeId('Chat', chatId, 'chatId'),
  groupId: groupId == null ? null : decodeId('Group', groupId, 'groupId'),
});

@Resolver()
export class ModerationVerbsResolver {
  constructor(
    private readonly rules: ModerationRulesService,
    private readonly cases: ModerationCases,
    private readonly sanctions: SanctionService,
  ) {}

  @Mutation(() => UpdateModerationRulesPayload, { description: 'For those who run the chat or the group.' })
  async updateModerationRules(@Arg('input', () => UpdateModerationRulesInput) input: UpdateModerationRulesInput, @Ctx() context: Context): Promise<object> {
    return { rules: await this.rules.set(context.requireViewer(), rulesOf(input), input.rules ?? null) };
  }

  @Mutation(() => DecideModerationCasePayload, { description: 'For those who run the chat in which it was said, and moderators of the place. Not about oneself; an appeal is for somebody else than who decided first.' })
  async decideModerationCase(@Arg('input', () => DecideModerationCaseInput) input: DecideModerationCaseInput, @Ctx() context: Context): Promise<object> {
    const { caseId, decision, note = null, strike, silenceSeconds = null, banSeconds = null, suspend, suspendSeconds = null } = input;
    const viewer = context.requireViewer();
    return { case: await this.cases.decide(viewer, { caseId: decodeId('ModerationCase', caseId, 'caseId'), decision, note, strike: strike === true, silenceSeconds, banSeconds, suspend: suspend === true, suspendSeconds }) };
  }

  @Mutation(() => AppealModerationPayload, { description: 'Once, within 30 days, by whom it was decided against.' })
  async appealModeration(@Arg('input', () => AppealModerationInput) { caseId, text }: AppealModerationInput, @Ctx() context: Context): Promise<object> {
    return { case: await this.cases.appeal(context.requireViewer(), decodeId('ModerationCase', caseId, 'caseId'), text) };
  }

  @Mutation(() => SilenceChatMemberPayload, { description: 'Lets a member say nothing for a while. For those who run the chat, and moderators of the place.' })
  async silenceChatMember(@Arg('input', () => SilenceChatMemberInput) input: SilenceChatMemberInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    const key = { chatId: decodeId('Chat', input.chatId, 'chatId'), userId: decodeId('User', input.userId, 'userId') };
    await this.sanctions.silence(viewer, { ...input, ...key });
    context.forget();
    return { member: await context.load(chatMember, key) };
  }

  @Mutation(() => BanFromChatPayload, { description: 'Takes somebody out and keeps them out, by whatever way they would come in. For those who run the chat, and moderators of the place.' })
  async banFromChat(@Arg('input', () => BanFromChatInput) { chatId, userId, seconds, reason }: BanFromChatInput, @Ctx() context: Context): Promise<object> {
    return { ban: await this.sanctions.ban(context.requireViewer(), { chatId: decodeId('Chat', chatId, 'chatId'), userId: decodeId('User', userId, 'userId'), seconds: seconds ?? null, reason }) };
  }

  @Mutation(() => LiftChatBanPayload, { description: 'They come in again as everybody does.' })
  async liftChatBan(@Arg('input', () => LiftChatBanInput) { chatId, userId }: LiftChatBanInput, @Ctx() context: Context): Promise<{ user: UserRow | null }> {
    const viewer = context.requireViewer();
    const key = decodeId('User', userId, 'userId');
    await this.sanctions.lift(viewer, decodeId('Chat', chatId, 'chatId'), key);
    return { user: await context.load(userById, key) };
  }
}

@Resolver(() => ViewerType)
export class ViewerModerationResolver {
  constructor(
    private readonly rules: ModerationRulesService,
    private readonly cases: ModerationCases,
    private readonly sanctions: SanctionService,
  ) {}

  @FieldResolver(() => ModerationRulesType, { nullable: true, description: 'Of a chat or a group that one runs. Null: none.' })
  moderationRules(@Arg('chatId', () => ID, { nullable: true }) chatId: string | null, @Arg('groupId', () => ID, { nullable: true }) groupId: string | null, @Ctx() context: Context): Promise<object | null> {
    return this.rules.read(context.requireViewer(), rulesOf({ chatId, groupId }));
  }

  @FieldResolver(() => ModerationCasePages.Connection, { description: 'What waits for a decision, the oldest first: in a chat that one runs, or, for moderators of the place, everywhere.' })
  moderationQueue(
    @Args(() => ForwardArgs) args: ForwardArgs,
    @Arg('chatId', () => ID, { nullable: true }) chatId: string | null,
    @Arg('states', () => [ModerationCaseState], { defaultValue: ['OPEN', 'APPEALED'] }) states: CaseState[],
    @Ctx() context: Context,
  ): Promise<Page<CaseRow>> {
    return this.cases.queue(context.requireViewer(), chatId === null ? null : decodeId('Chat', chatId, 'chatId'), states, args);
  }

  @FieldResolver(() => ModerationCasePages.Connection, { description: 'What of one’s own is held, or was decided against, the newest first.' })
  moderationCases(@Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<CaseRow>> {
    return this.cases.own(context.requireViewer(), args);
  }

  @FieldResolver(() => ModerationBanPages.Connection, { description: 'Who is kept out of a chat that one runs.' })
  moderationBans(@Arg('chatId', () => ID) chatId: string, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<BanRow>> {
    return this.sanctions.bans(context.requireViewer(), decodeId('Chat', chatId, 'chatId'), args, context.now);
  }
}

@Resolver(() => ModerationCaseType)
export class ModerationCaseResolver {
  @FieldResolver()
  id(@Root() row: CaseRow): string {
    return encodeId('ModerationCase', row.id);
  }

  @FieldResolver(() => ID, { description: 'Of a held message its chat, until it was sent.' })
  targetId(@Root() { targetType, targetId, seq }: CaseRow): string {
    return targetType === 'MESSAGE' && seq === null ? encodeId('Chat', targetId) : targetIdOf({ targetType, targetId, targetSeq: seq });
  }

  @FieldResolver(() => ID, { nullable: true })
  chatId(@Root() { chatId }: CaseRow): string | null {
    return chatId && encodeId('Chat', chatId);
  }

  @FieldResolver(() => ID, { nullable: true, description: 'Null while it is held.' })
  messageId(@Root() { targetType, targetId, seq }: CaseRow): string | null {
    return targetType === 'MESSAGE' && seq !== null ? encodeMessageId(targetId, seq) : null;
  }

  @FieldResolver(() => UserType, { nullable: true, description: 'Whom it is about.' })
  sender(@Root() { senderId }: CaseRow, @Ctx() context: Context): Promise<UserRow | null> | null {
    return senderId === null ? null : context.load(userById, senderId);
  }

  @AtMost(MAX_ATTACHMENTS)
  @FieldResolver(() => [AttachmentType], { description: 'Of what is held.' })
  attachments(@Root() { files }: CaseRow): { id: string; caption: string | null }[] {
    return shownAttachments(files);
  }
}

@Resolver(() => ModerationBanType)
export class ModerationBanResolver {
  @FieldResolver(() => UserType, { nullable: true })
  user(@Root() { userId }: BanRow, @Ctx() context: Context): Promise<UserRow | null> {
    return context.load(userById, userId);
  }

  @FieldResolver()
  until(@Root() { until }: BanRow): Date | null {
    return until < FOREVER ? until : null;
  }
}

export const MODERATION_RESOLVERS = [ModerationVerbsResolver, ViewerModerationResolver, ModerationCaseResolver, ModerationBanResolver];
