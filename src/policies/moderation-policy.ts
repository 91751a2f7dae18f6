import type { UserRole } from '../entities/user.js';
import { DomainError, forbidden } from '../lib/errors.js';
import { isChatAdmin, type ChatAccess } from './chat-policy.js';
import { may } from './role-policy.js';

export const RULE_ACTIONS = ['FLAG', 'HOLD', 'BLOCK'] as const;
export type RuleAction = (typeof RULE_ACTIONS)[number];
/** Why something was not simply let through: by a rule, by the classifier or a model (the latter two). */
export const RULE_REASONS = ['WORD', 'LINK', 'FLOOD', 'TOXICITY', 'SPAM'] as const;
export type RuleReason = (typeof RULE_REASONS)[number];

/** What a chat, or all chats of a group, let be said. */
export interface ModerationRules {
  words: readonly { word: string; action: RuleAction }[];
  links: { action: RuleAction; allowedHosts: readonly string[] } | null;
  flood: { messages: number; seconds: number; action: RuleAction } | null;
  classifier: { action: RuleAction; threshold: number } | null;
  /** So many strikes at a time, and a member may say nothing for a while. */
  strikes: { limit: number; muteSeconds: number } | null;
}

export interface Verdict {
  action: RuleAction;
  reasons: RuleReason[];
}

/** What the classifier says of a text, 0 to 1 each. */
export interface Scores {
  toxicity: number;
  spam: number;
}

const TOKEN = /[\p{L}\p{N}@$]+/gu;
const INVISIBLE = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]/g;
const DISGUISES: Readonly<Record<string, string>> = { '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't', '@': 'a', $: 's' };
const DISGUISED = /[013457@$]/g;

const plain = (text: string): string => text.normalize('NFKD').replace(/\p{M}/gu, '').replace(INVISIBLE, '').toLowerCase();
const spaced = (tokens: readonly string[]): string => ` ${tokens.join(' ')} `;

/** A text as words are looked for in it: folded (case, accents, what can't be seen), and the same with digits read as the letters that they stand for. */
export function foldedForms(text: string): string[] {
  const tokens = plain(text).match(TOKEN) ?? [];
  const undisguised = tokens.map((token) => (/\p{L}/u.test(token) ? token.replace(DISGUISED, (sign) => DISGUISES[sign]!) : token));
  const forms = [spaced(tokens), spaced(undisguised)];
  return forms[0] === forms[1] ? [forms[0]!] : forms;
}

/** Whether a word or phrase stands in a folded text, as whole words; `casino*` is the beginning of one. */
function stands(word: string, forms: readonly string[]): boolean {
  const open = word.endsWith('*');
  const tokens = plain(word).match(TOKEN);
  if (!tokens) return false;
  const wanted = open ? spaced(tokens).slice(0, -1) : spaced(tokens);
  return forms.some((form) => form.includes(wanted));
}

/** What a rule's word comes down to; null: nothing that could be found. */
export const foldedWord = (word: string): string | null => plain(word).match(TOKEN)?.join(' ') ?? null;

const ADDRESS = /(?:https?:\/\/|www\.)[^\s<>"']+|(?<![\p{L}\p{N}@.-])(?:[a-z0-9-]+\.)+(?:com|net|org|info|biz|io|co|me|app|dev|xyz|top|shop|site|online|club|link|live|store|ru|cn|tk|ly|gg|ch|de|fr|uk|eu|us)(?![\p{L}\p{N}-])/giu;

/** The hosts that a text leads to, with a scheme or without. */
export function hostsIn(text: string): string[] {
  return (text.match(ADDRESS) ?? []).flatMap((found) => {
    const url = /^https?:/i.test(found) ? found : `http://${found}`;
    return URL.canParse(url) ? [new URL(url).hostname.toLowerCase()] : [];
  });
}

const allowed = (host: string, hosts: readonly string[]): boolean => hosts.some((good) => host === good || host.endsWith(`.${good}`));

/** What rules say of a text; null: nothing. `recent`: how many messages its sender has sent within a flood rule's time. Every part is linear in the text. */
export function judge(rules: readonly ModerationRules[], text: string, { recent, scores }: { recent: (seconds: number) => number; scores: () => Scores }): Verdict | null {
  const found = new Map<RuleReason, RuleAction>();
  const add = (reason: RuleReason, action: RuleAction) => {
    const before = found.get(reason);
    if (!before || strength(action) > strength(before)) found.set(reason, action);
  };
  let forms: string[] | null = null;
  for (const { words, links, flood, classifier } of rules) {
    for (const { word, action } of words) if (stands(word, (forms ??= foldedForms(text)))) add('WORD', action);
    if (links && hostsIn(text).some((host) => !allowed(host, links.allowedHosts))) add('LINK', links.action);
    if (flood && recent(flood.seconds) >= flood.messages) add('FLOOD', flood.action);
    if (classifier) {
      const { toxicity, spam } = scores();
      if (toxicity >= classifier.threshold) add('TOXICITY', classifier.action);
      if (spam >= classifier.threshold) add('SPAM', classifier.action);
    }
  }
  if (!found.size) return null;
  const action = [...found.values()].reduce((a, b) => (strength(b) > strength(a) ? b : a));
  return { action, reasons: [...found.keys()] };
}

const strength = (action: RuleAction): number => RULE_ACTIONS.indexOf(action);

/** The longest time that a flood rule looks back; 0: there is none. */
export const floodSeconds = (rules: readonly ModerationRules[]): number => Math.max(0, ...rules.map(({ flood }) => flood?.seconds ?? 0));

/** Whether what this member says is looked at before it is sent: rules are for members, not for those who run the chat. */
export const isLookedAt = (access: ChatAccess): boolean => access.member?.silencedUntil != null || (access.chat.rules.length > 0 && !isChatAdmin(access));

export interface CaseFacts {
  chatId: string | null;
  senderId: string | null;
  state: 'OPEN' | 'APPROVED' | 'REJECTED' | 'APPEALED';
  decidedBy: string | null;
  appeal: string | null;
}

/** Of what somebody may do in a chat, what decides whether they moderate it. */
export interface ChatPlace {
  chat: Pick<ChatAccess['chat'], 'kind'>;
  member: Pick<NonNullable<ChatAccess['member']>, 'role'> | null;
}

/** Those who run the group chat in which it was said, and the moderators of the place. */
export function moderates(actor: { role: UserRole }, access: ChatPlace | null): boolean {
  return may(actor, 'MODERATE') || (access?.member != null && access.chat.kind === 'GROUP' && isChatAdmin(access));
}

/** Nobody judges themself, and an appeal is for somebody else than whoever decided first. */
export function assertCanDecide(actor: { userId: string }, facts: CaseFacts): void {
  if (facts.senderId === actor.userId) throw forbidden('Nobody decides about themself.');
  if (facts.state === 'APPEALED' && facts.decidedBy === actor.userId) throw forbidden('An appeal is for another moderator to decide.');
  if (facts.state === 'APPROVED' || facts.state === 'REJECTED') throw new DomainError('STATE_CONFLICT', 'It has been decided already.');
}

/** By whom it was decided against, once. */
export function assertCanAppeal(facts: CaseFacts): void {
  if (facts.state === 'APPEALED' || facts.appeal !== null) throw new DomainError('STATE_CONFLICT', 'There was an appeal already.');
  if (facts.state !== 'REJECTED') throw new DomainError('STATE_CONFLICT', 'Nothing was decided against you.');
}
