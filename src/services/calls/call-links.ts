import type { UnitOfWork } from '../../db/unit-of-work.js';
import { callStream } from '../../events/catalogue.js';
import type { Logger } from '../../lib/logger.js';
import { SEAT_KEPT_MS } from './call-changes.js';
import { NOBODY } from '../actor.js';
import { untilWritten } from './until-written.js';

/** Who comes back within this has not been away: a reconnect does not flicker. */
const GRACE_MS = 1_000;

interface Link {
  callId: string;
  count: number;
  timer: NodeJS.Timeout | null;
  /** One write at a time: the last word is what holds. */
  writing: Promise<void>;
}

/**
 * Who is connected to a call through this process: whoever follows its events here (or speaks by `/voice`). Where the last link of a participant
 * has gone the seat is kept for 30 s; docs/CALLS.md has the rule.
 */
export class CallLinks {
  readonly #links = new Map<string, Link>();
  #closed = false;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly node: string,
    private readonly log: Logger,
  ) {}

  get size(): number {
    return this.#links.size;
  }

  /** Resolves when everybody can know that they are there. */
  async opened(callId: string, participantId: string): Promise<void> {
    let link = this.#links.get(participantId);
    if (!link) this.#links.set(participantId, (link = { callId, count: 0, timer: null, writing: Promise.resolve() }));
    if (link.timer) clearTimeout(link.timer);
    link.timer = null;
    link.count++;
    const mine = link;
    await this.#write(mine, () => (mine.count ? this.#found(callId, participantId) : Promise.resolve()));
  }

  closed(participantId: string): void {
    const link = this.#links.get(participantId);
    if (!link || --link.count > 0 || this.#closed) return;
    link.timer = setTimeout(() => {
      link.timer = null;
      void this.#write(link, () => (link.count ? Promise.resolve() : this.#lost(link.callId, participantId))).then(() => {
        if (!link.count && !link.timer && this.#links.get(participantId) === link) this.#links.delete(participantId);
      });
    }, GRACE_MS);
    link.timer.unref();
  }

  /** This process may have been taken for dead, and whoever is linked by it for lost: they are there. */
  async stillThere(): Promise<void> {
    for (const [participantId, link] of [...this.#links]) await this.#write(link, () => (link.count ? this.#found(link.callId, participantId) : Promise.resolve()));
  }

  /** The process stops: everybody who is linked by it is lost for now, and finds their seat elsewhere. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { timer } of this.#links.values()) if (timer) clearTimeout(timer);
    const links = [...this.#links];
    this.#links.clear();
    await Promise.all(links.map(([participantId, link]) => this.#write(link, () => this.#lost(link.callId, participantId))));
  }

  /** Nobody says it again: it is tried until it is written, or the process stops. Each try asks anew what holds. */
  #write(link: Link, write: () => Promise<void>): Promise<void> {
    const failed = (error: Error) => this.log.warn({ callId: link.callId, error: error.message }, 'calls: could not write who is connected');
    return (link.writing = link.writing.then(() => untilWritten(write, { over: () => this.#closed, failed })).then(() => undefined));
  }

  async #found(callId: string, participantId: string): Promise<void> {
    await this.unitOfWork.run({ actorId: NOBODY, operation: 'linkCall' }, async (tx) => {
      const [row] = await tx.sql<{ lost: boolean }>(
        `update call_participants p set link_node = $2, lost_at = null, seat_until = null from (select id, lost_at from call_participants where id = $1 for update) before
         where p.id = before.id and p.state in ('JOINED', 'WAITING') returning before.lost_at is not null as lost`,
        [participantId, this.node],
      );
      if (row?.lost) tx.append(callStream(callId), { kind: 'participant.updated', participantId });
      return null;
    });
  }

  async #lost(callId: string, participantId: string): Promise<void> {
    await this.unitOfWork.run({ actorId: NOBODY, operation: 'unlinkCall' }, async (tx) => {
      // Linked by another process meanwhile, there is nothing to say.
      const rows = await tx.sql(
        `update call_participants set link_node = null, lost_at = $3, seat_until = $4 where id = $1 and link_node = $2 and state in ('JOINED', 'WAITING') returning 1`,
        [participantId, this.node, tx.now, new Date(tx.now.getTime() + SEAT_KEPT_MS)],
      );
      if (rows.length) tx.append(callStream(callId), { kind: 'participant.updated', participantId });
      return null;
    });
  }
}
