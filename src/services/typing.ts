import { LRUCache } from 'lru-cache';
import type { Bus } from '../events/bus.js';
import type { Clock } from '../lib/clock.js';
import { DomainError } from '../lib/errors.js';
import { assertCanRead } from '../policies/chat-policy.js';
import type { Actor } from './actor.js';
import type { ChatAccessReader } from './chat-access.js';

export const typingTopic = (chatId: string): string => `typing:${chatId}`;

/** What travels on a chat's typing topic. */
export interface TypingNews {
  userId: string;
  typing: boolean;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/** Who says nothing more for so long types no more. */
const LIFE_MS = 6_000;
/** The same word of one person in one chat is passed on once within this. */
const REPEAT_MS = 2_000;
const KEPT = 20_000;

/** That somebody writes: told to who looks at the chat, and kept nowhere. */
export class TypingService {
  readonly #passedOn = new LRUCache<string, true>({ max: KEPT, ttl: REPEAT_MS });

  constructor(
    private readonly access: ChatAccessReader,
    private readonly bus: Bus,
    private readonly clock: Clock,
  ) {}

  /** Answers until when it holds. Errors: NOT_FOUND (chat), BLOCKED. */
  async set(actor: Actor, chatId: string, typing: boolean): Promise<Date> {
    const access = await this.access.fresh(chatId, actor.userId);
    assertCanRead(access);
    if (access.blocked) throw new DomainError('BLOCKED', 'One of you has blocked the other.');
    const expiresAt = this.clock.now().getTime() + LIFE_MS;
    const word = `${chatId} ${actor.userId} ${typing}`;
    if (!this.#passedOn.has(word)) {
      this.#passedOn.set(word, true);
      this.bus.publish(typingTopic(chatId), { userId: actor.userId, typing, expiresAt } satisfies TypingNews);
    }
    return new Date(expiresAt);
  }
}
