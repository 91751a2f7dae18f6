import { createHash, randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Sql } from '../../src/db/database.js';
import { partitionByChat } from '../../src/db/partitions.js';
import { systemClock } from '../../src/lib/clock.js';
import type { Reading } from '../../src/services/actor.js';
import { lastVisibleMessage, unreadOf } from '../../src/services/loaders/chat-list.js';
import { messageByKey } from '../../src/services/loaders/messages.js';
import { MessageSearch } from '../../src/services/message-search.js';
import { writeMessages, type Send } from '../../src/services/message-writer.js';
import { MessageService } from '../../src/services/messages.js';
import { UpkeepService } from '../../src/services/upkeep.js';
import type { Ground } from '../lib/ground.js';
import type { Row } from '../lib/report.js';
import { cpuOfTree } from '../lib/system.js';

const CHATS = 10_000;
const EACH = 50;
const PEOPLE = 2_000;
const MEMBERS = 20;
const ROUNDS = 4;
const WARM_UP = 12;
const TEXT = 'a line of chat of about a hundred characters, as people write them when they are on their way somewhere';
const SHOWN = new Set(['id', 'text', 'createdAt', 'sender', 'reactions']);

export const PARTITIONS_NOTE = `Milliseconds of CPU of PostgreSQL's process for one statement, by the process' own statements over one connection, in turn: ${CHATS.toLocaleString('en')} chats of ${EACH} messages and ${MEMBERS} members. Sends are those of one batch.`;

interface Side {
  name: string;
  client: pg.Client;
  backend: number;
  sql: Sql;
}

/** The statements of the hot paths on `messages` as one table, and in partitions. */
export async function runPartitions(ground: Ground): Promise<Record<string, Row>> {
  const people = Array.from({ length: PEOPLE }, () => randomUUID());
  const chats = Array.from({ length: CHATS }, () => randomUUID());
  await fill(ground.sql, people, chats);
  const sides: Side[] = [];
  try {
    // Copying a database ends the connections to it: first the copies, then its own.
    ground.sql.on('error', () => undefined);
    for (const partitions of [8, 16]) sides.push(await sideOf(ground, partitions));
    sides.unshift(await sideOf(ground, 0));
    const rows: Record<string, Row> = Object.fromEntries(sides.map(({ name }) => [name, {}]));
    for (const { what, times, work } of statements(people, chats)) {
      const spent = new Map(sides.map((side) => [side, 0]));
      for (const side of sides) for (let n = 0; n < WARM_UP; n++) await work(side.sql, n);
      for (let round = 0; round < ROUNDS; round++) {
        for (let place = 0; place < sides.length; place++) {
          const side = sides[(place + round) % sides.length]!;
          const before = cpuOfTree(side.backend);
          for (let n = 0; n < times; n++) await work(side.sql, WARM_UP + round * times + n);
          spent.set(side, spent.get(side)! + cpuOfTree(side.backend) - before);
        }
      }
      for (const side of sides) rows[side.name]![what] = (spent.get(side)! / times / ROUNDS) * 1e3;
    }
    Object.assign(rows['one table']!, await costOfKeys(sides[0]!));
    return rows;
  } finally {
    for (const { client } of sides) await client.end();
  }
}

async function fill(sql: pg.Pool, people: string[], chats: string[]): Promise<void> {
  await sql.query(`insert into users (id, handle, handle_key, display_name) select id, 'h' || n, 'h' || n, 'Person ' || n from unnest($1::uuid[]) with ordinality u(id, n)`, [people]);
  await sql.query(`insert into chats (id, kind, last_seq, member_count) select id, 'GROUP', $2, $3 from unnest($1::uuid[]) c(id)`, [chats, EACH, MEMBERS]);
  await sql.query(`insert into streams (id) select 'chat:' || id from unnest($1::uuid[]) c(id)`, [chats]);
  await sql.query(
    `insert into chat_members (chat_id, user_id, role, last_read_seq) select c.id, ($2::uuid[])[1 + (c.n * 7 + m) % $3], 'MEMBER', $4 from unnest($1::uuid[]) with ordinality c(id, n), generate_series(0, $5::int - 1) m`,
    [chats, people, PEOPLE, EACH - 5, MEMBERS],
  );
  await sql.query(
    `insert into messages (chat_id, seq, sender_id, kind, created_at, text, reactions)
     select c.id, s, ($2::uuid[])[1 + (c.n * 7 + s % $3::int) % $4], 'TEXT', now() - make_interval(mins => $5 - s), 'word' || (s * 7919 + c.n) % 5000 || ' and others, so that it is about a hundred characters long, as lines of chat are', '[["👍", 3]]'
     from generate_series(1, $5::int) s, unnest($1::uuid[]) with ordinality c(id, n)`,
    [chats, people, MEMBERS, PEOPLE, EACH],
  );
}

/** A database like the one that was filled, with messages in so many partitions (0: in one table). */
async function sideOf(ground: Ground, partitions: number): Promise<Side> {
  const url = new URL(ground.url);
  if (partitions) {
    const filled = url.pathname.slice(1);
    url.pathname = '/postgres';
    const admin = new pg.Client({ connectionString: url.toString() });
    await admin.connect();
    const name = `${filled}_${partitions}`;
    await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = $1`, [filled]);
    await admin.query(`create database ${name} template ${filled}`);
    await admin.end();
    url.pathname = `/${name}`;
  }
  const client = new pg.Client({ connectionString: url.toString() });
  await client.connect();
  if (partitions) await partitionByChat(client, 'messages', partitions);
  await client.query('vacuum analyze');
  // What a commit waits for is no CPU.
  await client.query('set synchronous_commit = off');
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const sql: Sql = async <Result extends object>(text: string, values: unknown[] = []) => (await client.query<Result>({ name: createHash('sha1').update(text).digest('base64url'), text, values })).rows;
  return { name: partitions ? `${partitions} partitions` : 'one table', client, backend: rows[0]!.pid, sql };
}

const KEYS = 400_000;

/** What keys of sends cost that come and go: written in batches, forgotten after a week, and their room given back; for a thousand of them. */
async function costOfKeys({ client, backend, sql }: Side): Promise<Row> {
  await client.query('truncate idempotency_keys');
  const cost = async (work: () => Promise<unknown>) => {
    const before = cpuOfTree(backend);
    await work();
    return ((cpuOfTree(backend) - before) / KEYS) * 1e6;
  };
  const written = await cost(async () => {
    for (let batch = 0; batch < KEYS / 100; batch++) {
      await sql(
        `insert into idempotency_keys (actor_id, operation, key, input_hash, result, created_at)
         select gen_random_uuid(), 'sendMessage', gen_random_uuid(), sha256('x'), '{"seq": 1}', now() - make_interval(days => 8) + make_interval(secs => $1) from generate_series(1, 100)`,
        [batch],
      );
    }
  });
  await client.query('vacuum analyze idempotency_keys');
  const upkeep = new UpkeepService(sql, systemClock, { sessions: 1, notifications: 1, deliveries: 1 });
  const forgotten = await cost(() => upkeep.idempotencyKeys());
  const vacuumed = await cost(() => client.query('vacuum idempotency_keys'));
  return { '1,000 keys written': written, '1,000 keys forgotten': forgotten, 'their room given back': vacuumed };
}

interface Statement {
  what: string;
  times: number;
  work: (sql: Sql, n: number) => Promise<unknown>;
}

function statements(people: readonly string[], chats: readonly string[]): Statement[] {
  const spread = 7_919; // a prime: every chat in its turn, and neighbours in none
  const chatAt = (n: number) => chats[(n * spread) % CHATS]!;
  const memberOf = (n: number) => people[((((n * spread) % CHATS) + 1) * 7) % PEOPLE]!;
  const sendTo = (n: number): Send => ({
    draft: { chatId: chatAt(n), senderId: memberOf(n), idempotencyKey: randomUUID(), inputHash: Buffer.alloc(32), kind: 'TEXT', text: TEXT, mentions: null, replyToSeq: null, threadRootSeq: null, forward: null, card: null },
    aclVersion: 1, visibleFromSeq: 1, slowModeSeconds: 0,
  });
  const readingOf = (n: number, sql: Sql) => ({ viewer: { userId: memberOf(n) }, viewerId: memberOf(n), now: new Date(), sql, visibleFrom: () => Promise.resolve(1), prime: () => undefined, load: () => Promise.resolve({}) }) as unknown as Reading & { sql: Sql; viewerId: string; now: Date };
  const twenty = (n: number) => Array.from({ length: 20 }, (_, place) => n + place);
  const none = undefined as never;
  return [
    { what: 'one send', times: 300, work: (sql, n) => writeMessages(sql, [sendTo(n)], new Date(), true) },
    { what: 'ten sends to ten chats', times: 100, work: (sql, n) => writeMessages(sql, Array.from({ length: 10 }, (_, place) => sendTo(n * 10 + place)), new Date(), true) },
    { what: 'a hundred sends to one chat', times: 20, work: (sql, n) => writeMessages(sql, Array.from({ length: 100 }, () => sendTo(n)), new Date(), true) },
    { what: 'a page of 50', times: 500, work: (sql, n) => new MessageService(sql, none, none, none, none).history(readingOf(n, sql), chatAt(n), { last: 50 }, SHOWN) },
    { what: 'one message', times: 2_000, work: (sql, n) => messageByKey.batch([{ chatId: chatAt(n), seq: 1 + (n % EACH) }], readingOf(n, sql)) },
    { what: 'twenty messages of twenty chats', times: 500, work: (sql, n) => messageByKey.batch(twenty(n).map((at) => ({ chatId: chatAt(at), seq: 1 + (at % EACH) })), readingOf(n, sql)) },
    { what: 'the unread of twenty chats', times: 300, work: (sql, n) => unreadOf.batch(twenty(n).map(chatAt), readingOf(n, sql)) },
    { what: 'the last message of twenty chats', times: 300, work: (sql, n) => lastVisibleMessage.batch(twenty(n).map(chatAt), readingOf(n, sql)) },
    { what: 'a search in a chat', times: 60, work: (sql, n) => new MessageSearch(sql).search(readingOf(n, sql), `word${n % 5000}`, { chatId: chatAt(n) }, { first: 20 }) },
    { what: 'a search in all of one’s chats', times: 20, work: (sql, n) => new MessageSearch(sql).search(readingOf(n, sql), `word${n % 5000}`, {}, { first: 20 }) },
    { what: 'what somebody wrote in a chat, to erase it', times: 100, work: (sql, n) => sql(`select seq from messages where chat_id = $1 and sender_id = $2 and deleted_at is null and kind <> 'SYSTEM' order by seq limit $3`, [chatAt(n), memberOf(n), 500]) },
  ];
}
