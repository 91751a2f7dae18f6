import type { Bus } from '../../events/bus.js';
import type { MessageKey } from '../loaders/messages.js';

export type BotReplyState = 'WRITING' | 'DONE' | 'FAILED' | 'LIMITED';

/** What travels while a bot writes: all that it has written, so that whoever misses one loses nothing. */
export interface BotReplyNews {
  botId: string;
  state: BotReplyState;
  text: string;
  /** Of the message that it has become, when DONE. */
  answerSeq: number | null;
}
export const botReplyTopic = ({ chatId, seq }: MessageKey): string => `bot-reply:${chatId}:${seq}`;

const EVERY_MS = 80;

/** Tells those who look on what a bot is writing, some times a second. */
export class LiveReply {
  #text = '';
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly bus: Pick<Bus, 'publish'>,
    private readonly key: MessageKey,
    private readonly botId: string,
  ) {}

  get text(): string {
    return this.#text;
  }

  add(text: string): void {
    this.#text += text;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#tell('WRITING', null);
    }, EVERY_MS);
  }

  /** Begins anew: what was said before a tool was asked is not the answer. */
  restart(): void {
    this.#text = '';
  }

  end(state: BotReplyState, text: string, answerSeq: number | null): void {
    this.#text = text;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#tell(state, answerSeq);
  }

  #tell(state: BotReplyState, answerSeq: number | null): void {
    this.bus.publish(botReplyTopic(this.key), { botId: this.botId, state, text: this.#text, answerSeq } satisfies BotReplyNews);
  }
}
