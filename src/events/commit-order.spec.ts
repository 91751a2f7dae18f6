import assert from 'node:assert/strict';
import fc from 'fast-check';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../../test/testkit/database.js';
import type { Sql } from '../db/database.js';
import { readInCommitOrder, type ConsumedEvent, type LogPosition } from './commit-order.js';
import { appendEvents } from './log.js';

const WRITERS = 4;
const STREAMS = ['chat:a', 'chat:b', 'user:c'];

type Step =
  /** Begins and takes a transaction id, or appends what it will, or ends. */
  | { do: 'write'; writer: number; streams: string[]; commit: boolean }
  /** Reads so many, and handles a part of them; of that only a part is remembered, as when a process dies. */
  | { do: 'read'; limit: number; handled: number; saved: number };

const STEP: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('write' as const), writer: fc.nat(WRITERS - 1), streams: fc.array(fc.constantFrom(...STREAMS), { minLength: 1, maxLength: 4 }), commit: fc.integer({ min: 0, max: 4 }).map((n) => n > 0) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('read' as const), limit: fc.integer({ min: 1, max: 6 }), handled: fc.nat(8), saved: fc.nat(8) }) },
);

describe('reading the log of all streams in the order of commits', () => {
  let database: TestDatabase;
  const clients: pg.Client[] = [];
  before(async () => {
    database = await createTestDatabase();
    for (let n = 0; n <= WRITERS; n++) {
      const client = new pg.Client({ connectionString: database.url });
      await client.connect();
      clients.push(client);
    }
  });
  after(async () => {
    await Promise.all(clients.map((client) => client.end()));
    await database.drop();
  });

  const sqlOf = (client: pg.Client): Sql => async <Row extends object>(text: string, values: unknown[] = []) => (await client.query<Row>(text, values)).rows;

  it('skips nothing, invents nothing, and keeps each stream’s order, however transactions interleave and wherever a reader dies', async function () {
    this.timeout(240_000);
    const reader = sqlOf(clients[WRITERS]!);
    await fc.assert(
      fc.asyncProperty(fc.array(STEP, { minLength: 5, maxLength: 40 }), async (steps) => {
        await reader('truncate events, streams');
        const [{ xid }] = (await reader<{ xid: string }>('select pg_snapshot_xmin(pg_current_snapshot())::text as xid')) as [{ xid: string }];
        let position: LogPosition = { xid, stream: '', pos: 0, ahead: {} };
        /** For each writer: null (idle), begun, or appended to these streams. */
        const state: ('begun' | string[] | null)[] = Array(WRITERS).fill(null);
        const heard: ConsumedEvent[] = [];
        const first = new Map<string, number>();
        const hear = (event: ConsumedEvent) => {
          heard.push(event);
          const newest = first.get(event.stream) ?? 0;
          // A repeat after a death is one of those before; whatever is heard for the first time comes right behind the newest.
          assert.ok(event.pos <= newest + 1, `${event.stream} ${event.pos} came after ${newest}`);
          first.set(event.stream, Math.max(newest, event.pos));
        };
        const read = async (limit: number, handled: number, saved: number) => {
          const { events, end, more } = await readInCommitOrder(reader, position, limit);
          for (const { event } of events.slice(0, handled)) hear(event);
          const kept = Math.min(handled, saved);
          if (kept >= events.length) position = end;
          else if (kept > 0) position = events[kept - 1]!.after;
          position = JSON.parse(JSON.stringify(position)) as LogPosition;
          return more || events.length > 0;
        };
        const advance = async (writer: number, streams: string[], commit: boolean) => {
          const sql = sqlOf(clients[writer]!);
          const now = state[writer];
          if (now === null) {
            await sql('begin');
            await sql('select pg_current_xact_id()');
            state[writer] = 'begun';
          } else if (now === 'begun') {
            // Whoever holds a stream's row makes others wait: those don't try here.
            if (state.some((other) => Array.isArray(other) && other.some((stream) => streams.includes(stream)))) return;
            await appendEvents(sql, streams.map((stream) => ({ stream, event: { kind: 'chat.updated' } })), new Date());
            state[writer] = streams;
          } else {
            await sql(commit ? 'commit' : 'rollback');
            state[writer] = null;
          }
        };
        try {
          for (const step of steps) {
            if (step.do === 'read') await read(step.limit, step.handled, step.saved);
            else await advance(step.writer, step.streams, step.commit);
          }
        } finally {
          for (let writer = 0; writer < WRITERS; writer++) if (state[writer] !== null) await sqlOf(clients[writer]!)('commit');
        }
        while (await read(5, Infinity, Infinity));
        const logged = await reader<{ stream: string; pos: string }>('select stream, pos from events order by stream, pos');
        const names = (events: { stream: string; pos: number | string }[]) => [...new Set(events.map(({ stream, pos }) => `${stream} ${String(pos).padStart(6)}`))].sort();
        assert.deepEqual(names(heard), names(logged));
      }),
      { numRuns: 40 },
    );
  });
});
