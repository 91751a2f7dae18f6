import { forbidden } from '../lib/errors.js';
import { FIELD_SCOPES } from './field-scopes.js';
import { TYPE_SCOPES } from './type-scopes.js';

/** What an app may be given, each to read and to write. */
export const AREAS = ['profile', 'people', 'chats', 'calls', 'statuses', 'files', 'documents', 'news', 'notifications', 'shops', 'bots', 'webhooks'] as const;
export type Area = (typeof AREAS)[number];
export type Scope = `${Area}:${'read' | 'write'}` | 'users:issue';
export const SCOPES: readonly string[] = [...AREAS.flatMap((area) => [`${area}:read`, `${area}:write`]), 'users:issue'];

/**
 * What a field or type asks of an app. `open`: nothing, since it says nothing by itself (a page, a sum of money). `person-only`: no app may have it (who somebody is here, what they
 * sign in by, their apps, and what those do who run the place).
 */
export type Access = Scope | 'open' | 'person-only';

const fields: ReadonlyMap<string, Access> = new Map(Object.entries(FIELD_SCOPES));
const types: ReadonlyMap<string, Access> = new Map(Object.entries(TYPE_SCOPES));

/** Of a field of Query, Mutation, Subscription or Viewer; null: the table has no entry for it, and no app may have it. */
export const accessToField = (type: string, field: string): Access | null => fields.get(`${type}.${field}`) ?? null;

/** Of an object type. A payload is its mutation's, and a page or its edge is as what is in it. */
export function accessToType(name: string): Access | null {
  const own = types.get(name);
  if (own !== undefined) return own;
  return name.endsWith('Payload') ? 'open' : (types.get(name.replace(/(Connection|Edge)$/, '')) ?? null);
}

const KINDS: readonly [RegExp, Area][] = [
  [/^call\./, 'calls'], [/^contact\./, 'people'], [/^file\./, 'files'], [/^status\./, 'statuses'], [/^(order|groupbuy)\./, 'shops'], [/^notification\./, 'notifications'], [/^(button|form|bot|support)\./, 'bots'],
];

/** The scope by which an app may have an endpoint told of a kind of event: what it is told of it could read itself. Cases of moderators no app reads. */
export const scopeOfKind = (kind: string): string => kind.startsWith('moderation.') ? 'person-only' : `${KINDS.find(([pattern]) => pattern.test(kind))?.[1] ?? 'chats'}:read`;

/** An app lets nobody do what it may not do itself: a bot is kept to no scopes. Throws `FORBIDDEN`. */
export function assertGiven({ scopes }: { scopes?: readonly string[] | null }, ...wanted: Scope[]): void {
  const missing = scopes ? wanted.filter((scope) => !scopes.includes(scope)) : [];
  if (missing.length) throw forbidden(`This app was not given: ${missing.join(', ')}.`);
}
