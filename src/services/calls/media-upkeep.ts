import type { Sql } from '../../db/database.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import type { Logger } from '../../lib/logger.js';
import type { Media } from '../../media/contract.js';
import { NOBODY } from '../actor.js';
import { dropEnded } from './call-changes.js';

const LOOK_EVERY_MS = 5_000;
/** Longer than it takes to be seated: what is asked of another process is given up before. */
const SEATING_MS = 10_000;

/**
 * What this process's media has, compared with what the database says of it. A goodbye to another process is said once, over a bus that may lose it, and the process that
 * would have said it may have died: whoever sits here and has no seat is let go, and what nobody sends any more is told as closed.
 */
export class MediaUpkeep {
  #timer: NodeJS.Timeout | null = null;
  #sweeping: Promise<void> | null = null;
  /** Who is here and has a seat without a place, and since when. */
  #unplaced = new Map<string, number>();

  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly media: Pick<Media, 'seats' | 'leave'>,
    private readonly node: string,
    private readonly log: Logger,
  ) {}

  start(): void {
    this.#timer = setInterval(() => void this.sweep(), LOOK_EVERY_MS).unref();
  }

  async close(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    await this.#sweeping;
  }

  /** One at a time. Never rejects: what could not be compared is compared the next time. */
  sweep(): Promise<void> {
    return (this.#sweeping ??= this.#sweep()
      .catch((error: Error) => this.log.warn({ error: error.message }, 'calls: could not compare what is carried here with the database'))
      .finally(() => (this.#sweeping = null)));
  }

  async #sweep(): Promise<void> {
    const here = this.media.seats();
    if (!here.length) return;
    const known = await this.#known(this.sql, [...new Set(here.map(({ roomId }) => roomId))]);
    const now = performance.now();
    const unplaced = here.filter(({ peerId }) => known.get(peerId) === null);
    this.#unplaced = new Map(unplaced.map(({ peerId }) => [peerId, this.#unplaced.get(peerId) ?? now]));
    const differs = here.filter(({ peerId, producers }) => {
      const sends = known.get(peerId);
      return sends ? !sends.every((id) => producers.includes(id)) : this.#isStranger(peerId, sends);
    });
    for (const callId of new Set(differs.map(({ roomId }) => roomId))) {
      // One call in trouble must not keep the others waiting.
      await this.#compare(callId).catch((error: Error) => this.log.warn({ callId, error: error.message }, 'calls: could not compare a call that is carried here with the database'));
    }
  }

  /**
   * Under the call's lock. A seat is in the database before it is in media, and a producer after: who is here and has no seat has left, and what is said to be sent and is not
   * here has ended. One that begins anew has its place once media has begun: for a while it may have none, and stays; later it was taken for lost.
   */
  async #compare(callId: string): Promise<void> {
    await this.unitOfWork.run({ actorId: NOBODY, operation: 'compareCallMedia' }, async (tx) => {
      await tx.sql('select from calls where id = $1 for update', [callId]);
      const known = await this.#known(tx.sql, [callId]);
      for (const { peerId, producers } of this.media.seats(callId)) {
        const sends = known.get(peerId);
        if (sends) await dropEnded(tx, callId, peerId, producers);
        else if (this.#isStranger(peerId, sends)) await this.media.leave(callId, peerId);
      }
      return null;
    });
  }

  #isStranger(peerId: string, sends: null | undefined): boolean {
    return sends === undefined || performance.now() - (this.#unplaced.get(peerId) ?? Infinity) >= SEATING_MS;
  }

  /** Who has a seat here, with what they send; null for one that has no place, here or elsewhere. */
  async #known(sql: Sql, callIds: readonly string[]): Promise<Map<string, string[] | null>> {
    const rows = await sql<{ id: string; producers: string[] | null }>(
      `select p.id, case when p.media_node is not null then array(select r.id::text from call_producers r where r.participant_id = p.id) end as producers
       from call_participants p where p.call_id = any($1) and (p.media_node = $2 or p.media_node is null) and p.state = 'JOINED'`,
      [callIds, this.node],
    );
    return new Map(rows.map(({ id, producers }) => [id, producers]));
  }
}
