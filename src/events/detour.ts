import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { Sql } from '../db/database.js';
import type { Logger } from '../lib/logger.js';

/** Another way for what the bus carries, slower, for as long as Redis is away. */
export interface Detour {
  readonly ready: boolean;
  /** Sends a JSON text to every process, this one among them. Never throws, never waits; at most once. */
  send(text: string): void;
  onMessage(handler: (text: string) => void): void;
  /** Called when messages may have been lost and it is well again. */
  onRenewed(handler: () => void): void;
  close(): Promise<void>;
}

const CHANNEL = 'omnitalk_bus';
/** What is sent within this leaves in one statement. PostgreSQL lets one transaction commit at a time that notifies. */
const EVERY_MS = 20;
/** Bytes of one notification: PostgreSQL takes less than 8,000. */
const PIECE = 7_800;
/** Characters that wait to be sent; past this, more are dropped: receivers reconcile with the log. */
const MAX_WAITING = 4_000_000;
/** Of one statement. */
const MAX_SENT = 400_000;
/** What is put together again of a sender's pieces. */
const MAX_TOGETHER = MAX_SENT * 2;
const MAX_SENDERS = 1_000;
const RETRY_MS = 1_000;
/** A server that has gone without a word is noticed by asking. */
const LOOK_EVERY_MS = 5_000;
const LOOK_MS = 3_000;

const asAscii = (json: string): string => json.replace(/[\u0080-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** LISTEN and NOTIFY. One connection of each process listens; what is sent goes by the pool. Every process hears everything and picks out what it follows. */
export class PostgresDetour implements Detour {
  readonly #id = randomBytes(6).toString('hex');
  readonly #senders = new Map<string, { next: number; text: string }>();
  #onMessage: (text: string) => void = () => undefined;
  #onRenewed: () => void = () => undefined;
  #client: pg.Client | null = null;
  #waiting: string[] = [];
  #waitingLength = 0;
  #timer: NodeJS.Timeout | null = null;
  #retry: NodeJS.Timeout | null = null;
  #pieces = 0;
  #sending = false;
  #closed = false;

  constructor(
    private readonly databaseUrl: string,
    private readonly sql: Sql,
    private readonly log: Pick<Logger, 'warn'>,
  ) {}

  /** Resolves when it listens, or has failed once: it goes on trying. */
  async start(): Promise<void> {
    await this.#listen();
  }

  get ready(): boolean {
    return this.#client !== null;
  }

  send(text: string): void {
    const ascii = asAscii(text);
    if (this.#closed || this.#waitingLength + ascii.length > MAX_WAITING || ascii.length > MAX_SENT) return;
    this.#waiting.push(ascii);
    this.#waitingLength += ascii.length;
    this.#sendSoon();
  }

  onMessage(handler: (text: string) => void): void {
    this.#onMessage = handler;
  }

  onRenewed(handler: () => void): void {
    this.#onRenewed = handler;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of [this.#timer, this.#retry]) if (timer) clearTimeout(timer);
    const client = this.#client;
    this.#client = null;
    await client?.end().catch(() => undefined);
  }

  #sendSoon(): void {
    if (this.#timer || this.#sending) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#sendNow();
    }, EVERY_MS);
    this.#timer.unref();
  }

  async #sendNow(): Promise<void> {
    this.#sending = true;
    const lines: string[] = [];
    let length = 0;
    while (this.#waiting.length && length + this.#waiting[0]!.length <= MAX_SENT) {
      const line = this.#waiting.shift()!;
      length += line.length;
      lines.push(line);
    }
    this.#waitingLength -= length;
    const text = lines.join('\n');
    const payloads: string[] = [];
    // The number keeps two pieces apart that are alike: PostgreSQL folds such into one.
    for (let at = 0; at < text.length; at += PIECE) payloads.push(`${this.#id}:${++this.#pieces}:${at + PIECE < text.length ? '+' : '.'}${text.slice(at, at + PIECE)}`);
    try {
      if (payloads.length) await this.sql(`select pg_notify('${CHANNEL}', piece) from unnest($1::text[]) piece`, [payloads]);
    } catch (error) {
      this.log.warn({ error: (error as Error).message }, 'could not send by PostgreSQL what Redis does not carry');
    } finally {
      this.#sending = false;
      if (this.#waiting.length && !this.#closed) this.#sendSoon();
    }
  }

  async #listen(): Promise<void> {
    const client = new pg.Client({ connectionString: this.databaseUrl, application_name: 'omnitalk bus', connectionTimeoutMillis: LOOK_MS, query_timeout: LOOK_MS, keepAlive: true });
    let look: NodeJS.Timeout | null = null;
    const lost = () => {
      if (look) clearInterval(look);
      if (this.#client === client) this.#client = null;
      client.removeAllListeners('end');
      client.end().catch(() => undefined);
      if (this.#closed || this.#retry) return;
      this.#retry = setTimeout(() => {
        this.#retry = null;
        void this.#listen();
      }, RETRY_MS);
      this.#retry.unref();
    };
    client.on('error', () => undefined); // 'end' follows
    client.on('notification', ({ payload }) => this.#take(payload ?? ''));
    try {
      await client.connect();
      await client.query(`listen ${CHANNEL}`);
    } catch (error) {
      this.log.warn({ error: (error as Error).message }, 'could not listen to PostgreSQL for what Redis does not carry');
      return lost();
    }
    if (this.#closed) return void client.end().catch(() => undefined);
    client.on('end', lost);
    look = setInterval(() => client.query('select 1').catch(lost), LOOK_EVERY_MS);
    look.unref();
    this.#client = client;
    this.#senders.clear();
    this.#onRenewed();
  }

  #take(payload: string): void {
    const [, id, number, more, text] = /^([0-9a-f]+):(\d+):([+.])([^]*)$/.exec(payload) ?? [];
    if (!id) return;
    const begun = this.#senders.get(id);
    const n = Number(number);
    // A piece whose beginning was not heard is of no use: what follows it begins anew.
    const whole = begun && begun.next === n ? begun.text + text! : text!;
    if (more === '+') {
      if (!begun && this.#senders.size >= MAX_SENDERS) return;
      if (whole.length > MAX_TOGETHER) return void this.#senders.delete(id);
      this.#senders.set(id, { next: n + 1, text: whole });
      return;
    }
    this.#senders.delete(id);
    for (const line of whole.split('\n')) {
      try {
        this.#onMessage(line);
      } catch (error) {
        // The tail of what began before this process listened.
        if (!(error instanceof SyntaxError)) throw error;
      }
    }
  }
}
