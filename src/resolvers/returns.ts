import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { decodeId, encodeId } from '../lib/ids.js';
import { FileType } from '../schema/file.js';
import { OrderType } from '../schema/order.js';
import {
  CancelReturnInput, CancelReturnPayload, CreateInvoiceInput, CreateInvoicePayload, DecideReturnInput, DecideReturnPayload, OrderReturnType, ReceiveReturnInput, ReceiveReturnPayload, RequestReturnInput,
  RequestReturnPayload,
} from '../schema/returns.js';
import type { InvoiceService } from '../services/commerce/invoices.js';
import type { ReturnService } from '../services/commerce/returns.js';
import { fileById, type FileRow } from '../services/loaders/files.js';
import { invoiceOfOrder, orderById, returnsOfOrder, type OrderRow, type ReturnRow } from '../services/loaders/orders.js';
import type { Context } from './context.js';

const orderOf = async (context: Context, orderId: string): Promise<object> => {
  context.forget();
  return { order: await context.load(orderById, orderId) };
};

@Resolver(() => OrderReturnType)
export class OrderReturnResolver {
  constructor(private readonly returns: ReturnService) {}

  @Mutation(() => RequestReturnPayload, { description: 'Asks to give back what was sent: whoever has bought it.' })
  async requestReturn(@Arg('input', () => RequestReturnInput) { orderId, lines, reason, idempotencyKey }: RequestReturnInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    const given = lines.map((line) => ({ lineId: decodeId('OrderLine', line.lineId, 'lines.lineId'), quantity: line.quantity }));
    return orderOf(context, await this.returns.request(viewer, decodeId('Order', orderId, 'orderId'), given, reason ?? null, idempotencyKey));
  }

  @Mutation(() => DecideReturnPayload, { description: 'Says whether it may come back: whoever runs the shop.' })
  async decideReturn(@Arg('input', () => DecideReturnInput) { returnId, approve, note }: DecideReturnInput, @Ctx() context: Context): Promise<object> {
    return orderOf(context, await this.returns.decide(context.requireViewer(), decodeId('OrderReturn', returnId, 'returnId'), approve, note ?? null));
  }

  @Mutation(() => CancelReturnPayload, { description: 'Keeps it after all: whoever has asked.' })
  async cancelReturn(@Arg('input', () => CancelReturnInput) { returnId }: CancelReturnInput, @Ctx() context: Context): Promise<object> {
    return orderOf(context, await this.returns.cancel(context.requireViewer(), decodeId('OrderReturn', returnId, 'returnId')));
  }

  @Mutation(() => ReceiveReturnPayload, { description: 'Notes that it has come back: money goes back, and what can be sold again into the stock.' })
  async receiveReturn(@Arg('input', () => ReceiveReturnInput) { returnId, restock, amount }: ReceiveReturnInput, @Ctx() context: Context): Promise<object> {
    return orderOf(context, await this.returns.receive(context.requireViewer(), decodeId('OrderReturn', returnId, 'returnId'), { restock, amount: amount ?? null }));
  }

  @FieldResolver()
  id(@Root() returned: ReturnRow): string {
    return encodeId('OrderReturn', returned.id);
  }
}

@Resolver(() => OrderType)
export class OrderPapersResolver {
  constructor(private readonly invoices: InvoiceService) {}

  @Mutation(() => CreateInvoicePayload, { description: 'Makes the invoice of an order as a PDF, once: whoever has bought or sold it.' })
  async createInvoice(@Arg('input', () => CreateInvoiceInput) { orderId }: CreateInvoiceInput, @Ctx() context: Context): Promise<object> {
    return orderOf(context, await this.invoices.create(context.requireViewer(), decodeId('Order', orderId, 'orderId')));
  }

  @FieldResolver(() => [OrderReturnType], { description: 'At most 20.' })
  returns(@Root() order: OrderRow, @Ctx() context: Context): Promise<ReturnRow[] | null> {
    return context.load(returnsOfOrder, order.id);
  }

  @FieldResolver(() => FileType, { nullable: true, description: 'The invoice, once it was made.' })
  async invoice(@Root() order: OrderRow, @Ctx() context: Context): Promise<FileRow | null> {
    const invoice = await context.load(invoiceOfOrder, order.id);
    return invoice && context.load(fileById, invoice.fileId);
  }
}
