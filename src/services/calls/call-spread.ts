import type { Sql } from '../../db/database.js';
import type { Bus, BusHandler } from '../../events/bus.js';
import { callStream } from '../../events/catalogue.js';
import type { Logger } from '../../lib/logger.js';
import type { Media, RemoteInfo } from '../../media/contract.js';

/** A hint that was lost is made up for by then. */
const LOOK_EVERY_MS = 5_000;
const TOPIC = 'call-spread';

interface Followed {
  handler: BusHandler;
  looking: boolean;
  again: boolean;
}

/** What is sent in a call from other nodes than this. */
export async function producersElsewhere(sql: Sql, callId: string, node: string): Promise<RemoteInfo[]> {
  return sql<RemoteInfo>(
    `select r.id, p.id as "peerId", p.media_node as node, lower(r.kind) as kind, r.source, r.paused from call_producers r join call_participants p on p.id = r.participant_id
     where r.call_id = $1 and p.state = 'JOINED' and p.media_node <> $2`,
    [callId, node],
  );
}

/**
 * Calls that have seats on this node and on others: media here is kept in step with what the database says of the others. Every event of such a call, and some seconds at
 * the most, have it read anew; so what a node has not been told, or has told nobody, because it died, is put right.
 */
export class CallSpread {
  readonly #followed = new Map<string, Followed>();
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(
    private readonly sql: Sql,
    private readonly bus: Bus,
    private readonly media: Pick<Media, 'rooms' | 'spread'>,
    private readonly node: string,
    private readonly log: Logger,
  ) {}

  async start(): Promise<void> {
    await this.bus.subscribe(TOPIC, this.#onTold);
    this.#timer = setInterval(() => void this.#sweep().catch((error: Error) => this.log.warn({ error: error.message }, 'calls: could not look for calls that are shared with other nodes')), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** Somebody sits elsewhere than at a call's home: the nodes of the call look. */
  tell(callId: string): void {
    this.bus.publish(TOPIC, { callId });
  }

  close(): void {
    this.#closed = true;
    if (this.#timer) clearInterval(this.#timer);
    this.bus.unsubscribe(TOPIC, this.#onTold);
    for (const callId of [...this.#followed.keys()]) this.#unfollow(callId);
  }

  readonly #onTold: BusHandler = (message) => {
    if (this.media.rooms().rooms > 0) this.#follow((message as { callId: string }).callId);
  };

  async #sweep(): Promise<void> {
    if (this.#closed || (this.media.rooms().rooms === 0 && this.#followed.size === 0)) return;
    const calls = await this.sql<{ id: string }>(`select distinct c.id from call_participants p join calls c on c.id = p.call_id and c.spread where p.media_node = $1 and p.state = 'JOINED'`, [this.node]);
    for (const id of new Set([...calls.map((call) => call.id), ...this.#followed.keys()])) this.#follow(id);
  }

  #follow(callId: string): void {
    if (this.#closed) return;
    if (!this.#followed.has(callId)) {
      const handler: BusHandler = () => this.#look(callId);
      this.#followed.set(callId, { handler, looking: false, again: false });
      // Until it stands, the clock makes up for it.
      void this.bus.subscribe(callStream(callId), handler).catch(() => undefined);
    }
    this.#look(callId);
  }

  #unfollow(callId: string): void {
    const followed = this.#followed.get(callId);
    this.#followed.delete(callId);
    if (followed) this.bus.unsubscribe(callStream(callId), followed.handler);
  }

  /** Of many events in a row, the last is what counts. */
  #look(callId: string): void {
    const followed = this.#followed.get(callId);
    if (!followed) return;
    followed.again = true;
    if (followed.looking) return;
    followed.looking = true;
    void this.#read(callId, followed)
      .catch((error: Error) => this.log.warn({ callId, error: error.message }, 'calls: could not read what is on other nodes; it is read again'))
      .finally(() => (followed.looking = false));
  }

  async #read(callId: string, followed: Followed): Promise<void> {
    while (followed.again && !this.#closed) {
      followed.again = false;
      const asOf = performance.now();
      const places = await this.sql<{ home: string | null; node: string }>(
        `select distinct c.media_node as home, p.media_node as node from calls c join call_participants p on p.call_id = c.id where c.id = $1 and p.state = 'JOINED' and p.media_node is not null`,
        [callId],
      );
      const nodes = places.map(({ node }) => node);
      const home = places[0]?.home ?? null;
      if (!nodes.includes(this.node)) {
        this.#unfollow(callId);
        this.media.spread(callId, { home: null, nodes, producers: [], asOf });
        return;
      }
      const producers = nodes.length > 1 ? await producersElsewhere(this.sql, callId, this.node) : [];
      this.media.spread(callId, { home: home === this.node ? null : home, nodes: nodes.filter((node) => node !== this.node), producers, asOf });
    }
  }
}
