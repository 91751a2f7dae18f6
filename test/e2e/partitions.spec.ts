import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { GROWING_BY_CHAT, partitionByChat } from '../../src/db/partitions.js';
import { decodeId } from '../../src/lib/ids.js';
import { eventually, take, World, type Person } from '../testkit/world.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('moving messages into partitions', function () {
  this.timeout(120_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  let chatId: string;
  let client: pg.Client;
  beforeEach(async () => {
    world = await World.start();
    [ann, bob] = await world.people('Ann', 'Bob');
    chatId = await world.groupChat(ann, [bob], 'Here');
    client = await connect();
  });
  const connect = async () => {
    const made = new pg.Client({ connectionString: world.databaseUrl });
    made.on('error', () => undefined);
    await made.connect();
    return made;
  };
  afterEach(async () => {
    await client.end();
    await world.stop();
  });

  /** `npm run partition -- …`, as an operator runs it. */
  const partition = async (...args: string[]) => {
    const child = spawn(process.execPath, ['--import', './scripts/register.mjs', 'scripts/partition.ts', ...args], { cwd: ROOT, env: { ...process.env, DATABASE_URL: world.databaseUrl }, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stdout.on('data', (chunk) => (said += chunk));
    child.stderr.on('data', (chunk) => (said += chunk));
    const [code] = (await once(child, 'close')) as [number];
    return { code, said: said.trim() };
  };
  const partitionsOf = async (table: string) => (await world.sql<{ n: number }>(`select count(*)::int as n from pg_inherits where inhparent = $1::regclass`, [table]))[0]!.n;
  /** What later migrations know a table by. */
  const shapeOf = (table: string) =>
    world.sql(
      `select c.relname as name, i.indisunique, i.indisprimary, regexp_replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ') as definition from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = $1::regclass
       union all select conname, null, null, pg_get_constraintdef(oid) from pg_constraint where conrelid = $1::regclass and contype <> 'n'
       union all select attname, attnotnull, null, format_type(atttypid, atttypmod) from pg_attribute where attrelid = $1::regclass and attnum > 0 order by 1, 4`,
      [table],
    );
  /** Until a connection waits for a lock. */
  const waits = (pid: number) => eventually(async () => (await world.sql('select from pg_locks where pid = $1 and not granted', [pid])).length > 0, 'it waits');

  it('goes on while people talk: nothing is lost, nothing comes twice, and the tables are known by the same names', async () => {
    const shapes = await Promise.all(GROWING_BY_CHAT.map(shapeOf));
    const chats = [chatId, ...(await Promise.all(Array.from({ length: 7 }, (_, number) => world.groupChat(ann, [bob], `Chat ${number}`))))];
    await world.sql(`insert into messages (chat_id, seq, sender_id, kind, text) select c, n, c, 'TEXT', 'old ' || n from (select gen_random_uuid() as c from generate_series(1, 100)) c, generate_series(1, 200) n`);
    const told = chats.map(() => [] as string[]);
    let going = true;
    const talk = async (place: number) => {
      for (let number = 0; going || number < 10; number++) {
        const sender = number % 2 ? ann : bob;
        const sent = await world.say(sender, chats[place]!, `said ${number}`);
        if (number % 3 === 1) await sender.api.editMessage({ input: { messageId: sent.id, text: `edited ${number}` } });
        if (number % 3 === 2) await bob.api.addReaction({ input: { messageId: sent.id, emoji: '👍' } });
        told[place]!.push(number % 3 === 1 ? `edited ${number}` : `said ${number}`);
      }
    };
    const stream = bob.client.chatEvents(chatId, (await bob.api.chat({ id: chatId })).chat!.eventCursor);
    const talking = Promise.all(chats.map((_, place) => talk(place)));
    const { code, said } = await partition('4', ...GROWING_BY_CHAT);
    going = false;
    await talking;
    assert.equal(code, 0, said);
    assert.deepEqual(said.split('\n').map((line) => line.split(';')[0]), GROWING_BY_CHAT.map((table) => `${table} lies in 4 partitions now`));
    assert.deepEqual(await Promise.all(GROWING_BY_CHAT.map(partitionsOf)), GROWING_BY_CHAT.map(() => 4));
    assert.deepEqual(await Promise.all(GROWING_BY_CHAT.map(shapeOf)), shapes);
    assert.deepEqual(await world.sql(`select count(*)::int as n, count(distinct (chat_id, seq))::int as different from messages where text like 'old %'`), [{ n: 20_000, different: 20_000 }]);
    for (const [place, chat] of chats.entries()) {
      const rows = await world.sql<{ text: string; reactions: unknown; edits: number; reacted: number }>(
        `select m.text, m.reactions, (select count(*)::int from message_edits e where e.chat_id = m.chat_id and e.seq = m.seq) as edits, (select count(*)::int from message_reactions r where r.chat_id = m.chat_id and r.seq = m.seq) as reacted
         from messages m where m.chat_id = $1 and m.kind = 'TEXT' and m.text not like 'old %' order by m.seq`,
        [decodeId('Chat', chat)],
      );
      assert.deepEqual(rows, told[place]!.map((text, number) => ({ text, reactions: number % 3 === 2 ? [['👍', 1]] : null, edits: number % 3 === 1 ? 1 : 0, reacted: number % 3 === 2 ? 1 : 0 })));
    }
    const first = await take(stream, 1);
    stream.close();
    assert.ok(first[0]!.__typename === 'MessageSent' && first[0]!.message?.text);
    assert.deepEqual(await partition('4'), { code: 0, said: 'messages is partitioned already.' });
  });

  it('begins anew after it was broken off, and people go on meanwhile; what is deleted while it would be copied does not come back', async () => {
    for (const text of ['one', 'two', 'three']) await world.say(ann, chatId, text);
    const texts = async () => (await ann.api.chatMessages({ id: chatId, last: 100 })).chat!.messages.edges.map(({ node }) => node.text);
    const [mover, first, second] = await Promise.all(Array.from({ length: 3 }, () => connect()));
    const movers = await mover!.query<{ pid: number }>('select pg_backend_pid() as pid');
    await first!.query('begin');
    await first!.query(`select from messages where text = 'two' for update`);
    const broken = assert.rejects(partitionByChat(mover!, 'messages', 2, 1), /terminat/);
    await waits(movers.rows[0]!.pid);
    await world.sql('select pg_terminate_backend($1)', [movers.rows[0]!.pid]);
    await broken;
    await world.say(bob, chatId, 'four');
    assert.deepEqual(await texts(), ['one', 'two', 'three', 'four']);

    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    const moved = partitionByChat(client, 'messages', 3, 1);
    await waits(rows[0]!.pid);
    await assert.rejects(partitionByChat(second!, 'messages', 3), /is being moved by another/);
    await second!.query('begin');
    await second!.query(`delete from messages where text in ('one', 'three')`);
    await first!.query('rollback');
    await eventually(async () => (await world.sql(`select from pg_locks l join pg_stat_activity a using (pid) where pid = $1 and not granted and $2 = any(pg_blocking_pids(pid))`, [rows[0]!.pid, (await second!.query('select pg_backend_pid() as pid')).rows[0].pid])).length > 0, 'the copy has come to what is being deleted');
    await second!.query('commit');
    assert.equal((await moved).already, false);
    assert.deepEqual(await texts(), ['two', 'four']);
    assert.equal(await partitionsOf('messages'), 3);
    assert.deepEqual(await world.sql(`select relname from pg_class where relname ~ '_(parted|whole)'`), []);
    assert.deepEqual(await world.sql(`select proname from pg_proc where proname ~ '_to_parted'`), []);
    await Promise.all([first!.end(), second!.end()]);
  });

  it('says what it takes', async () => {
    for (const args of [['257'], ['4', 'chats']]) {
      const { code, said } = await partition(...args);
      assert.equal(code, 2);
      assert.match(said, /^Usage: npm run partition -- <2 to 256>/);
    }
  });
});
