import { randomUUID } from 'node:crypto';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { measured, type Ground } from '../lib/ground.js';
import { GraphqlSocket } from '../lib/graphql.js';
import type { Row } from '../lib/report.js';
import { VAR } from '../lib/server-process.js';
import { OmniTalkTarget, SEND_MESSAGE, type Chat } from '../targets/omnitalk.js';
import { eachOf } from '../targets/target.js';

const SENDERS = 100;
/** As many as the batches of pgbench hold together: see `ceiling`. */
const IN_FLIGHT = 400;
const WARM_UP = 4_000;
const SENDS = 12_000;
const ROUNDS = 3;
const TEXT = 'a line of chat of about a hundred characters, as people write them when they are on their way somewhere';

/** Durable sends without anybody who listens: acknowledged after commit, each with its own idempotency key. */
export async function runSends(ground: Ground, chatCount: number, profile?: string): Promise<Row> {
  const target = await OmniTalkTarget.start(ground);
  try {
    const people = await target.people(SENDERS);
    const size = SENDERS / chatCount;
    const chats = await target.chats(Array.from({ length: chatCount }, (_, room) => people.slice(room * size, (room + 1) * size)));
    const seats = await eachOf(chats.flatMap((chat) => chat.members.map((person) => ({ chat, person }))), 20, async ({ chat, person }) => ({
      chat,
      socket: await GraphqlSocket.open(target.port, { authorization: `Bearer ${person.token}` }, () => undefined),
    }));
    const latencies: number[] = [];
    let turn = 0;
    const send = async (count: number) => {
      let left = count;
      await Promise.all(
        Array.from({ length: IN_FLIGHT }, async () => {
          while (left-- > 0) {
            const { chat, socket } = seats[turn++ % seats.length]!;
            const began = performance.now();
            await socket.request(SEND_MESSAGE, { input: { chatId: chat.id, text: TEXT, idempotencyKey: randomUUID() } });
            latencies.push(performance.now() - began);
          }
        }),
      );
    };
    await send(WARM_UP);
    latencies.length = 0;
    if (profile) await target.server.startProfile();
    const rounds = [];
    for (let round = 0; round < ROUNDS; round++) rounds.push(await measured(ground, target.server, () => send(SENDS)));
    if (profile) await target.server.endProfile(profile);
    for (const { socket } of seats) socket.destroy();
    await expectStored(ground, chats, WARM_UP + SENDS * ROUNDS);
    const sizes = await sizesOf(ground, WARM_UP + SENDS * ROUNDS);
    const cost = rounds.sort((a, b) => a.seconds - b.seconds)[Math.floor(ROUNDS / 2)]!;
    const sorted = latencies.sort((a, b) => a - b);
    return {
      'sends/s': SENDS / cost.seconds,
      'server CPU ms / send': (cost.server / SENDS) * 1e3,
      'database CPU ms / send': (cost.database / SENDS) * 1e3,
      'p50 ms': sorted[Math.floor(sorted.length * 0.5)]!,
      'p99 ms': sorted[Math.floor(sorted.length * 0.99)]!,
      'client CPU share': cost.client / cost.seconds,
      ...sizes,
      ...(await ceiling(ground, chats, SENDS / cost.seconds)),
    };
  } finally {
    await target.stop();
  }
}

async function expectStored(ground: Ground, chats: Chat[], count: number): Promise<void> {
  const { rows } = await ground.sql.query<{ n: number; numbered: number }>('select count(*)::int as n, (select sum(last_seq)::int from chats) as numbered from messages');
  if (rows[0]!.n !== count || rows[0]!.numbered !== count) throw new Error(`${count} messages were acknowledged in ${chats.length} chats, ${rows[0]!.n} are stored`);
}

/** What a message takes on the disk, with its indexes: kept as long as the message, for 30 days, and for 7. */
async function sizesOf(ground: Ground, count: number): Promise<Row> {
  const { rows } = await ground.sql.query<{ messages: number; events: number; keys: number }>(
    `select pg_total_relation_size('messages')::float8 as messages, (select sum(pg_total_relation_size(relid)) from pg_partition_tree('events'))::float8 as events,
            pg_total_relation_size('idempotency_keys')::float8 as keys`,
  );
  const { messages, events, keys } = rows[0]!;
  return { 'bytes of a message': messages / count, 'of its event': events / count, 'of its idempotency key': keys / count };
}

const BATCH = 100;
const CLIENTS = 4;
const PGBENCH_SECONDS = 6;
/** Where there are many chats each client of pgbench keeps to its own share of them, so that none waits for another's locks: two halves, or four quarters. */
const SHARES = [{ clients: 2, spread: 50 }, { clients: 4, spread: 25 }];

/** A batch in one chat: five statements. */
const IN_ONE_CHAT = (chats: number) => `\\set chat random(1, ${chats})
begin;
update chats c set last_seq = last_seq + ${BATCH}, last_message_at = now() from bench_chats b where b.n = :chat and c.id = b.id returning c.id as chat_id, b.sender as sender_id, c.last_seq - ${BATCH} as base \\gset
update streams set head = head + ${BATCH} where id = 'chat:' || ':chat_id' returning head - ${BATCH} as pos \\gset
insert into idempotency_keys (actor_id, operation, key, input_hash, result, created_at) select ':sender_id', 'sendMessage', gen_random_uuid(), sha256(':chat_id'), jsonb_build_object('seq', :base + g), now() from generate_series(1, ${BATCH}) g;
insert into messages (chat_id, seq, sender_id, kind, created_at, text) select ':chat_id', :base + g, ':sender_id', 'TEXT', now(), '${TEXT}' from generate_series(1, ${BATCH}) g;
insert into events (stream, pos, kind, ref, at) select 'chat:' || ':chat_id', :pos + g, 'message.sent', jsonb_build_object('seq', :base + g), now() from generate_series(1, ${BATCH}) g;
commit;
`;

/** So many rows, over so many chats, each with its own number and place in its stream: one statement. */
const OVER_CHATS = (rows: number, spread: number) => `with r as (
  select b.id, b.sender, 1 + g / ${spread} as nth from generate_series(0, ${rows - 1}) g join bench_chats b on b.n = :client_id * ${spread} + 1 + g % ${spread}
), k as (select id, max(nth) as n from r group by 1
), c as (update chats set last_seq = last_seq + k.n, last_message_at = now() from k where chats.id = k.id returning k.id, last_seq - k.n as base
), s as (update streams set head = head + k.n from k where streams.id = 'chat:' || k.id returning k.id, head - k.n as pos
), keys as (
  insert into idempotency_keys (actor_id, operation, key, input_hash, result, created_at)
  select r.sender, 'sendMessage', gen_random_uuid(), sha256(r.id::text::bytea), jsonb_build_object('seq', c.base + r.nth), now() from r join c using (id)
), told as (
  insert into events (stream, pos, kind, ref, at) select 'chat:' || r.id, s.pos + r.nth, 'message.sent', jsonb_build_object('seq', c.base + r.nth), now() from r join c using (id) join s using (id)
)
insert into messages (chat_id, seq, sender_id, kind, created_at, text) select r.id, c.base + r.nth, r.sender, 'TEXT', now(), '${TEXT}' from r join c using (id);
`;

/**
 * What pgbench reaches on this database with the same rows, in batches: the ceiling of any server in front of it. A message
 * writes rows of its own, and each batch counts up every chat and stream that it writes to: the same rows are as many messages of a chat in a batch
 * as ours had (all of a batch have one time). Beside it, for who wants to know, stand batches that need fewer of the counts: with four messages of each chat, and for one chat each.
 */
async function ceiling(ground: Ground, chats: Chat[], reached: number): Promise<Row> {
  await ground.sql.query('create table bench_chats as select row_number() over ()::int as n, c.id, (select user_id from chat_members m where m.chat_id = c.id limit 1) as sender from chats c');
  const { rows } = await ground.sql.query<{ n: number }>('select count(*)::float / count(distinct (chat_id, created_at)) as n from messages');
  const ofEach = rows[0]!.n;
  try {
    const inOneChat = await pgbench(ground, CLIENTS, BATCH, IN_ONE_CHAT(chats.length));
    if (chats.length < 100) return { 'messages of a chat in a batch': ofEach, ...sharesOf(`batches of ${BATCH}`, inOneChat, reached) };
    const same: Rate[] = [];
    for (const { clients, spread } of SHARES) {
      const batch = Math.max(1, Math.round(spread * ofEach));
      same.push(await pgbench(ground, clients, batch, OVER_CHATS(batch, spread)));
    }
    return {
      'messages of a chat in a batch': ofEach,
      ...sharesOf('as many of each chat in a batch', same[0]!.rate > same[1]!.rate ? same[0]! : same[1]!, reached),
      ...sharesOf('four of each chat in a batch', await pgbench(ground, CLIENTS, BATCH, OVER_CHATS(BATCH, BATCH / 4)), reached),
      ...sharesOf('one chat a batch', inOneChat, reached),
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    console.log('pgbench is not on the PATH (Debian: postgresql-contrib); its ceiling is left out.');
    return {};
  } finally {
    await ground.sql.query('drop table bench_chats');
  }
}

const sharesOf = (what: string, { rate, cpu }: Rate, reached: number): Row => ({
  [`pgbench, ${what}: rows/s`]: rate,
  [`pgbench, ${what}: database CPU ms / row`]: cpu,
  [`share of pgbench, ${what}`]: reached / rate,
});

interface Rate {
  rate: number;
  cpu: number;
}

/** Rows a second, and the database's CPU for each, milliseconds. */
async function pgbench(ground: Ground, clients: number, batch: number, script: string): Promise<Rate> {
  const file = `${VAR}batch.pgbench`;
  writeFileSync(file, script);
  const before = ground.databaseCpu();
  const { stdout } = await promisify(execFile)('pgbench', ['-n', '-c', String(clients), '-j', '1', '-T', String(PGBENCH_SECONDS), '-f', file, ground.url]);
  const rate = Number(/tps = ([\d.]+)/.exec(stdout)![1]) * batch;
  return { rate, cpu: ((ground.databaseCpu() - before) / (rate * PGBENCH_SECONDS)) * 1e3 };
}
