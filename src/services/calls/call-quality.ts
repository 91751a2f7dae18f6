import type { Sql } from '../../db/database.js';
import { NIL_UUID } from '../../lib/ids.js';
import type { Logger } from '../../lib/logger.js';
import type { Media } from '../../media/contract.js';

/** How many are measured at a time, so that a big call costs no more than this; the others come next. */
const BATCH = 20;
/** A worker that hangs is not waited for longer than this when the process stops. */
const LAST_MS = 1_000;
const FIRST: string = NIL_UUID;

/**
 * How people's connections are, measured again and again while they last: who leaves is measured once more (media-release.ts), but a process that is
 * killed measures nobody, and the log has to say how it was. The log shows it of stays that are over, so nobody is told of what is written here.
 */
export class CallQuality {
  #timer: NodeJS.Timeout | null = null;
  /** The last that was measured: the next batch begins behind it. */
  #after = FIRST;
  #measuring: Promise<void> | null = null;

  constructor(
    private readonly sql: Sql,
    private readonly media: Pick<Media, 'rooms' | 'stats'>,
    private readonly node: string,
    private readonly log: Logger,
    private readonly everyMs: number,
  ) {}

  start(): void {
    this.#timer = setInterval(() => {
      // A worker that answers late is not asked twice at once.
      this.#measuring ??= this.#measure()
        .catch((error: Error) => this.log.warn({ error: error.message }, 'calls: could not keep how connections are'))
        .finally(() => (this.#measuring = null));
    }, this.everyMs);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    await Promise.race([this.#measuring, new Promise((resolve) => setTimeout(resolve, LAST_MS).unref())]);
  }

  async #measure(): Promise<void> {
    if (this.media.rooms().peers === 0) return;
    const people = await this.sql<{ id: string; callId: string }>(
      `select p.id, p.call_id as "callId" from call_participants p
       where p.media_node = $1 and p.state = 'JOINED' and p.id > $2 order by p.id limit $3`,
      [this.node, this.#after, BATCH],
    );
    this.#after = people.length === BATCH ? people.at(-1)!.id : FIRST;
    const measured = await Promise.all(people.map(async ({ id, callId }) => ({ id, stats: await this.media.stats(callId, id).catch(() => null) })));
    const kept = measured.flatMap(({ id, stats }) => (stats?.streams ? [{ id, quality: { loss: stats.loss, roundTripMs: stats.roundTripMs, score: stats.score } }] : []));
    if (!kept.length) return;
    // Whose row somebody else is changing is measured another time: nobody waits for this, nor this for anybody.
    await this.sql(
      `with seated as (select p.id, q.quality from jsonb_to_recordset($1::jsonb) q(id uuid, quality jsonb) join call_participants p on p.id = q.id where p.state = 'JOINED' for no key update of p skip locked)
       update call_participants p set quality = seated.quality from seated where p.id = seated.id`,
      [JSON.stringify(kept)],
    );
  }
}
