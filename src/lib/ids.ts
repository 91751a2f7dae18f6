import { v7, validate } from 'uuid';
import { DomainError } from './errors.js';

/** The id of nothing (RFC 9562, 5.9), before all others. */
export { NIL as NIL_UUID } from 'uuid';

/**
 * Public ids are opaque and typed: a short prefix, then the key. Inside the server an object is known by its UUIDv7 alone;
 * ids are made and read only at the edge (schema and resolvers).
 */
export const ID_PREFIXES = {
  User: 'usr',
  Session: 'ses',
  Chat: 'cht',
  Message: 'msg',
  Group: 'grp',
  ScheduledMessage: 'sch',
  InviteLink: 'inv',
  Report: 'rep',
  File: 'fil',
  NewsSource: 'nsr',
  NewsArticle: 'nws',
  Document: 'doc',
  Status: 'sta',
  StatusHighlight: 'shl',
  Call: 'cal',
  CallParticipant: 'cpt',
  CallProducer: 'cpr',
  CallConsumer: 'cco',
  CallTransport: 'ctr',
  CallToken: 'ctk',
  CallRecording: 'crc',
  Shop: 'shp',
  StockLocation: 'loc',
  ProductCategory: 'ctg',
  Product: 'prd',
  ProductVariant: 'var',
  ProductReview: 'rvw',
  GroupBuy: 'gby',
  Cart: 'crt',
  Order: 'ord',
  OrderLine: 'oln',
  Payment: 'pay',
  Fulfillment: 'ful',
  ShippingMethod: 'shm',
  Discount: 'dsc',
  GiftCard: 'gft',
  PaymentFinding: 'pfd',
  OrderReturn: 'ret',
  Payout: 'pyo',
  SavedAddress: 'adr',
  Notification: 'ntf',
  PushDevice: 'psh',
  Bot: 'bot',
  BotKnowledge: 'bkn',
  BotMemory: 'bmm',
  SupportCase: 'sup',
  BotVersion: 'bvr',
  BotCallback: 'bcb',
  BotSchedule: 'bsc',
  Exercise: 'exc',
  SuggestedGroup: 'sgg',
  LearnedModel: 'mdl',
  ModerationCase: 'mod',
  AuditEntry: 'aud',
  DataExport: 'dex',
  App: 'app',
  ApiKey: 'key',
  Webhook: 'whk',
  WebhookDelivery: 'whd',
  Device: 'dev',
  Welcome: 'wlc',
} as const;
export type IdType = keyof typeof ID_PREFIXES;

const TYPE_BY_PREFIX = new Map<string, IdType>(Object.entries(ID_PREFIXES).map(([type, prefix]) => [prefix, type as IdType]));
const MAX_SEQ = 2 ** 31 - 1;

/** A new UUIDv7: ordered by time, so that inserts stay at the right edge of an index. */
export const newId = (): string => v7();
export const isUuid = (text: string): boolean => validate(text);

const compact = (uuid: string): string => uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(14, 18) + uuid.slice(19, 23) + uuid.slice(24);
const expand = (hex: string): string =>
  `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;

export const encodeId = (type: Exclude<IdType, 'Message'>, uuid: string): string => `${ID_PREFIXES[type]}_${compact(uuid)}`;
export const encodeMessageId = (chatId: string, seq: number): string => `msg_${compact(chatId)}_${seq}`;

export interface DecodedId {
  type: IdType;
  uuid: string;
  /** The message's number in its chat; only for a `Message`. */
  seq?: number;
}

const SHAPE = /^([a-z]{3})_([0-9a-f]{32})(?:_([1-9][0-9]{0,9}))?$/;

/** Reads any public id. Throws `INVALID_ID` for what this server can't have made. */
export function decodeAnyId(id: string, field = 'id'): DecodedId {
  const match = SHAPE.exec(id);
  const type = match && TYPE_BY_PREFIX.get(match[1]!);
  if (!match || !type || (type === 'Message') !== (match[3] !== undefined)) throw new DomainError('INVALID_ID', 'This is not an id of this API.', { field });
  const seq = match[3] === undefined ? undefined : Number(match[3]);
  if (seq !== undefined && seq > MAX_SEQ) throw new DomainError('INVALID_ID', 'This is not an id of this API.', { field });
  return { type, uuid: expand(match[2]!), ...(seq === undefined ? {} : { seq }) };
}

/** The key behind an id of one type. Throws `INVALID_ID` for a malformed id and for one of another type. */
export function decodeId(type: Exclude<IdType, 'Message'>, id: string, field = 'id'): string {
  const decoded = decodeAnyId(id, field);
  if (decoded.type !== type) throw new DomainError('INVALID_ID', `This is not the id of a ${type}.`, { field });
  return decoded.uuid;
}

export function decodeMessageId(id: string, field = 'messageId'): { chatId: string; seq: number } {
  const decoded = decodeAnyId(id, field);
  if (decoded.type !== 'Message') throw new DomainError('INVALID_ID', 'This is not the id of a Message.', { field });
  return { chatId: decoded.uuid, seq: decoded.seq! };
}
