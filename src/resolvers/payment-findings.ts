import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import type { Page } from '../db/pages.js';
import { decodeId, encodeId } from '../lib/ids.js';
import { ForwardArgs } from '../schema/connection.js';
import { PaymentFindingPages, PaymentFindingType } from '../schema/payment-findings.js';
import type { Finding, Reconciliation } from '../services/commerce/reconciliation.js';
import type { Context } from './context.js';

@Resolver(() => PaymentFindingType)
export class PaymentFindingResolver {
  constructor(private readonly reconciliation: Reconciliation) {}

  @Query(() => PaymentFindingPages.Connection, {
    nullable: true,
    description: 'In what payments differed from their gateways, the newest first: of a shop, for whoever runs it (else null); without one of all, for administrators.',
  })
  paymentFindings(@Arg('shopId', () => ID, { nullable: true }) shopId: string | null, @Args(() => ForwardArgs) args: ForwardArgs, @Ctx() context: Context): Promise<Page<Finding> | null> {
    return this.reconciliation.list(context, context.requireViewer(), shopId == null ? null : decodeId('Shop', shopId, 'shopId'), args);
  }

  @FieldResolver()
  id(@Root() finding: Finding): string {
    return encodeId('PaymentFinding', finding.id);
  }

  @FieldResolver()
  orderId(@Root() { orderId }: Finding): string | null {
    return orderId && encodeId('Order', orderId);
  }
}
