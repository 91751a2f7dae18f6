/** What stays the server's to judge of a group whose contents it cannot read. */

/** RFC 9420, 12.4.3.2: somebody from outside comes in by themself. */
export const isOutside = (commit: { kind: 'public' | 'private'; sender: string | null }): boolean => commit.kind === 'public' && commit.sender === 'newMemberCommit';

/** A device is taken out of a group when there is nobody behind it any more, or by its owner, from another. */
export const mayTakeOut = (leaf: { id: string; userId: string; gone: boolean }, actor: { userId: string; sessionId: string }): boolean =>
  leaf.id !== actor.sessionId && (leaf.gone || leaf.userId === actor.userId);

/** What works on contents, and so steps back where the server cannot read them. */
export const CHAT_FEATURES = [
  'SEARCH', 'BOTS', 'LINK_PREVIEWS', 'NOTIFICATION_TEXT', 'MENTIONS', 'REACTIONS', 'EDITS', 'POLLS', 'CARDS', 'FORWARDING', 'SCHEDULED_MESSAGES', 'DRAFTS', 'SUMMARIES', 'TRANSLATION', 'REPLY_SUGGESTIONS', 'SENTIMENT',
  'MODERATION_RULES', 'DOCUMENTS',
] as const;
export type ChatFeature = (typeof CHAT_FEATURES)[number];
export const UNAVAILABLE_WHEN_ENCRYPTED: readonly ChatFeature[] = CHAT_FEATURES;
