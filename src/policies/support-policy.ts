import { DomainError, forbidden, notFound } from '../lib/errors.js';

export const SUPPORT_STATES = ['OPEN', 'ASSIGNED', 'RESOLVED', 'CANCELLED'] as const;
export type SupportState = (typeof SUPPORT_STATES)[number];
export type SupportVerb = 'take' | 'resolve' | 'cancel';

/** What each verb makes of a case, and from which states. A case whose agent was erased is OPEN again. */
const TRANSITIONS: Readonly<Record<SupportVerb, { from: readonly SupportState[]; to: SupportState }>> = {
  take: { from: ['OPEN'], to: 'ASSIGNED' },
  resolve: { from: ['ASSIGNED'], to: 'RESOLVED' },
  cancel: { from: ['OPEN', 'ASSIGNED'], to: 'CANCELLED' },
};

/** What decides who may do what with a case. */
export interface SupportFacts {
  state: SupportState;
  askerId: string;
  agentId: string | null;
  /** Who made the bot. */
  ownerId: string | null;
  /** The actor is in the chat of those who take cases, and nothing stands between them and the asker. */
  isAgent: boolean;
}

/** A case is there for its asker, for those who could take it, for whoever has, and for the bot's owner. */
export const seesCase = (actorId: string, facts: SupportFacts): boolean => facts.isAgent || [facts.askerId, facts.agentId, facts.ownerId].includes(actorId);

/** Null: it has been done already, by the same person. Errors: NOT_FOUND, FORBIDDEN, STATE_CONFLICT. */
export function nextSupportState(verb: SupportVerb, actorId: string, facts: SupportFacts | null): SupportState | null {
  if (!facts || !seesCase(actorId, facts)) throw notFound('support case');
  if (verb === 'take' && actorId === facts.askerId) throw forbidden('Nobody takes what they have asked for themself.');
  if (verb === 'take' && !facts.isAgent) throw forbidden('Only those whom the bot’s owner has named take its cases.');
  if (verb === 'resolve' && actorId !== facts.agentId && actorId !== facts.ownerId) throw forbidden('Whoever has taken it resolves it, or the bot’s owner.');
  if (verb === 'cancel' && actorId !== facts.askerId) throw forbidden('Only whoever has asked for a person cancels it.');
  const { from, to } = TRANSITIONS[verb];
  if (facts.state === to && (verb !== 'take' || facts.agentId === actorId)) return null;
  if (!from.includes(facts.state)) throw new DomainError('STATE_CONFLICT', facts.state === 'ASSIGNED' ? 'Somebody else has taken it.' : `The case is ${facts.state.toLowerCase()}.`);
  return to;
}
