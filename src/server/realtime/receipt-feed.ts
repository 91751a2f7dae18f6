import { parseStream } from '../../events/catalogue.js';
import type { OwnReceipt, ReceiptHint } from '../../events/hub.js';
import { encodeId } from '../../lib/ids.js';
import type { ReceiptSnapshot } from '../../services/receipts.js';

/** At most one event in this time, for each live chat of this process. */
const PAUSE_MS = 1_000;
/** Above this many, nobody is told by name. */
const MAX_MOVED = 101;

export interface ReceiptReader {
  /** How things stand, with the pointers of these members; null when there is no such chat. */
  snapshot(chatId: string, moved: readonly string[]): Promise<ReceiptSnapshot | null>;
}

/** Where receipts are told. */
export interface ReceiptOutlet {
  readonly stream: string;
  /** Whether anybody listens to such. */
  readonly heard: boolean;
  broadcast(typename: string, body: object): void;
}

/**
 * Receipts of one live stream: the first movement is told at once, what comes within the next second together at its end.
 * It holds nothing and no timer longer than that second.
 */
export class ReceiptFeed {
  readonly #moved = new Set<string>();
  readonly #own = new Map<string, OwnReceipt>();
  #timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly outlet: ReceiptOutlet,
    private readonly reader: ReceiptReader,
    private readonly onError: (error: unknown) => void,
  ) {}

  accept(hint: ReceiptHint): void {
    if (!this.outlet.heard) return;
    if ('own' in hint) this.#own.set(hint.own.chatId, hint.own);
    else for (const userId of hint.moved) if (this.#moved.size < MAX_MOVED) this.#moved.add(userId);
    if (!this.#timer) this.#flush();
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#moved.clear();
    this.#own.clear();
  }

  #flush(): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#moved.size + this.#own.size) this.#flush();
    }, PAUSE_MS);
    this.#timer.unref();
    const moved = [...this.#moved];
    const own = [...this.#own.values()];
    this.#moved.clear();
    this.#own.clear();
    if (!this.outlet.heard) return;
    for (const { chatId, ...pointers } of own) this.outlet.broadcast('ViewerReceiptChanged', { chatId: encodeId('Chat', chatId), ...pointers });
    if (moved.length) this.#tell(moved).catch((error: unknown) => this.onError(error));
  }

  async #tell(moved: string[]): Promise<void> {
    const { id } = parseStream(this.outlet.stream);
    const snapshot = await this.reader.snapshot(id, moved);
    if (!snapshot) return;
    const receipts = snapshot.receipts?.map(({ userId, ...pointers }) => ({ userId: encodeId('User', userId), ...pointers })) ?? null;
    this.outlet.broadcast('ReceiptsChanged', { ...snapshot, receipts, chatId: encodeId('Chat', id), chatKey: id });
  }
}
