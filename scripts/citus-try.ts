// `npm run citus:try -- <url of an empty database>`: does on a real Citus what docs/SCALE.md plans. The database has the extension and its nodes (`citus_add_node`). It is brought up
// to the code, what stands against the plan is changed as the document says, each table is put where the document has it, and then two chats are written to and read.
import assert from 'node:assert/strict';
import pg from 'pg';
import { createDataSource } from '../ormconfig.js';
import { migrate } from '../src/db/migrate.js';
import { useFastTimestamps } from '../src/db/timestamps.js';
import { newId } from '../src/lib/ids.js';
import { EVERY_NODE, readPlan, refusals, tablesOf } from './lib/places.js';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/**
 * The function that sends, as it would be: for one chat, which is its first parameter and by which Citus hands the whole call to the node of that chat. There each statement names that
 * chat for each table, and so is that node's alone. Keys of sends lie with the chat.
 */
function ofOneChat(definition: string): string {
  const changes: [from: string, to: string][] = [
    ['FUNCTION public.send_messages(', 'FUNCTION public.send_messages_in(p_in uuid, '],
    ['where id = any (p_chat) order by', 'where id = p_in order by'],
    ['from idempotency_keys k where k.actor_id', 'from send_keys k where k.chat_id = p_in and k.actor_id'],
    [` and k.operation = 'sendMessage'`, ''],
    ['m.chat_id = c.id and m.seq = u.', 'm.chat_id = p_in and m.seq = u.'],
    ['s.chat_id = c.id and s.user_id', 's.chat_id = p_in and s.user_id'],
    ['c.id = u.chat and c.id = any (v_locked)', 'c.id = p_in and u.chat = any (v_locked)'],
    ['insert into idempotency_keys (actor_id, operation, key, input_hash, result, created_at)', 'insert into send_keys (chat_id, actor_id, key, input_hash, seq, created_at)'],
    [`select sender, 'sendMessage', key, hash, jsonb_build_object('seq', seq), p_now`, 'select p_in, sender, key, hash, seq, p_now'],
    ['group by 1) n where c.id = n.id;', 'group by 1) n where c.id = n.id and c.id = p_in;'],
    ['where s.id = n.stream returning', 'where s.chat_id = p_in and s.id = n.stream returning'],
    ['insert into events (stream,', 'insert into events (chat_id, stream,'],
    [`select 'chat:' || chat, pos`, `select p_in, 'chat:' || chat, pos`],
    ['m.chat_id = r.chat and', 'm.chat_id = p_in and'],
    ['and m.chat_id = chat and', 'and m.chat_id = p_in and'],
  ];
  for (const [from, to] of changes) {
    assert.ok(definition.includes(from), `send_messages no longer says: ${from}`);
    definition = definition.replaceAll(from, to);
  }
  // Citus plans by the chat's value, and so anew for each call.
  return definition.replaceAll(/^ SET .*$/gm, '');
}

async function main(url: string): Promise<void> {
  const source = await createDataSource(url, 2).initialize();
  await migrate(source).finally(() => source.destroy());
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const run = (text: string, values: unknown[] = []) => client.query<Record<string, never>>(text, values);
  try {
    await run('set client_min_messages = warning');
    const { places } = readPlan();
    const { rows } = await run('select citus_version() as version, (select count(*)::int from pg_dist_node where groupid > 0) as nodes');
    say(`${String(rows[0]!['version']).split(' on ')[0]}, ${rows[0]!['nodes']} nodes beside the coordinator`);

    const tables = await tablesOf(client);
    assert.deepEqual(tables.filter(({ name }) => !places.has(name)).map(({ name }) => name), [], 'these tables have no place in docs/SCALE.md');
    // What stands against the plan: columns first, then keys, then references.
    for (const { name, columns } of tables) {
      const { column } = places.get(name)!;
      if (column !== null && !columns.includes(column)) await run(`alter table ${name} add column ${column} uuid not null`);
    }
    for (const { name, unique, references } of await tablesOf(client)) {
      const refused = refusals({ name, columns: [], unique, references }, places);
      const { column } = places.get(name)!;
      for (const { index, columns } of unique.filter((key) => refused.includes(`\`${key.index}\``))) {
        await run(`alter table ${name} drop constraint ${index}`);
        if (index.endsWith('_pkey')) await run(`alter table ${name} add primary key (${[column, ...columns].join(', ')})`);
      }
      for (const { name: constraint, to } of references) if (refused.includes(`\`${name}\` → \`${to}\``)) await run(`alter table ${name} drop constraint ${constraint}`);
    }
    await run('create table send_keys (chat_id uuid not null, actor_id uuid not null, key text not null, input_hash bytea not null, seq int not null, created_at timestamptz not null, primary key (chat_id, actor_id, key))');
    assert.deepEqual((await tablesOf(client)).filter(({ name }) => name !== 'send_keys').flatMap((table) => refusals(table, places)), []);

    // Citus takes a reference between tables that it distributes when both lie where they belong.
    const within: { table: string; name: string; definition: string }[] = [];
    for (const { name: table, references } of await tablesOf(client)) {
      for (const { name, to } of references) {
        if (places.get(to)?.column == null) continue;
        const { rows: found } = await run('select pg_get_constraintdef(oid) as definition from pg_constraint where conrelid = $1::regclass and conname = $2', [table, name]);
        within.push({ table, name, definition: found[0]!['definition']! });
        await run(`alter table ${table} drop constraint ${name}`);
      }
    }

    const placed = [...places, ['send_keys', { with: 'a chat', column: 'chat_id' }] as const];
    for (const [table, place] of placed) if (place.with === EVERY_NODE) await run('select create_reference_table($1::regclass)', [table]);
    const first = new Map<string, string>();
    for (const [table, { with: what, column }] of placed) {
      if (column === null) continue;
      await run('select create_distributed_table($1::regclass, $2, colocate_with => $3)', [table, column, first.get(what) ?? 'none']);
      if (!first.has(what)) first.set(what, table);
    }
    for (const { table, name, definition } of within) await run(`alter table ${table} add constraint ${name} ${definition}`);
    say(`${placed.filter(([, { column }]) => column !== null).length} tables are distributed, ${placed.filter(([, place]) => place.with === EVERY_NODE).length} are on every node`);

    const [{ definition, types }] = (await run(`select pg_get_functiondef(oid) as definition, oidvectortypes(proargtypes) as types from pg_proc where proname = 'send_messages'`)).rows as unknown as [{ definition: string; types: string }];
    await run(ofOneChat(definition));
    await run(`select create_distributed_function('send_messages_in(uuid, ${types})', '$1', colocate_with => 'messages')`);

    const sender = newId();
    await run(`insert into users (id, handle, handle_key, display_name) values ($1, 'ann', 'ann', 'Ann')`, [sender]);
    const chats = Array.from({ length: 8 }, newId);
    for (const chat of chats) {
      await run(`insert into chats (id, kind) values ($1, 'GROUP')`, [chat]);
      await run(`insert into streams (chat_id, id) values ($1::uuid, 'chat:' || $1::uuid)`, [chat]);
    }
    const SEND = `select * from send_messages_in($1, array[$1, $1]::uuid[], '{1,1}', array[$2, $2]::uuid[], $3, '{a,b}', '{TEXT,TEXT}', '{hello,there}', '{null,null}', $4, $5, '{null,null}', '{null,null}', '{1,1}', '{0,0}', now(), true) order by ord`;
    const send = async (chat: string, keys: string, reply = '{null,null}', thread = '{null,null}') => (await run(SEND, [chat, sender, keys, reply, thread])).rows.map(({ status, seq, pos }) => [status, seq, Number(pos)]);
    for (const chat of chats) {
      assert.deepEqual(await send(chat, '{1,2}'), [['ok', 1, 1], ['ok', 2, 2]]);
      assert.deepEqual(await send(chat, '{3,4}', '{1,99}'), [['ok', 3, 3], ['reply', null, 0]]);
      assert.deepEqual(await send(chat, '{3,5}', '{null,null}', '{null,1}'), [['key', null, 0], ['ok', 4, 4]]);
    }
    const PAGE = 'select m.seq, m.text, e.n from messages m, lateral (select count(*)::int as n from events e where e.chat_id = m.chat_id) e where m.chat_id = $1 order by m.seq desc limit 50';
    for (const chat of chats) assert.deepEqual((await run(PAGE, [chat])).rows.map(({ seq, n }) => [seq, n]), [[4, 5], [3, 5], [2, 5], [1, 5]]);
    const plan = (await run(`explain ${SEND.replaceAll(/\$\d/g, (number) => `'${[chats[0], sender, '{8,9}', '{null,null}', '{null,null}'][Number(number[1]) - 1]!}'`)}`)).rows.map((row) => String(row['QUERY PLAN'])).join('\n');
    assert.match(plan, /Task Count: 1\n[^]*send_messages_in/);
    const spread = await run(`select count(distinct n.nodeport || n.nodename)::int as nodes from unnest($1::uuid[]) c(id), lateral (select * from pg_dist_placement p join pg_dist_node n using (groupid) where p.shardid = get_shard_id_for_distribution_column('messages', c.id)) n`, [chats]);
    say(`${chats.length} chats on ${spread.rows[0]!['nodes']} nodes: each send was one node's work, and so is each page`);
  } finally {
    await client.end();
  }
}

useFastTimestamps();
const [url] = process.argv.slice(2);
if (!url) {
  console.error('Usage: npm run citus:try -- <url of an empty database of a Citus coordinator>');
  process.exitCode = 2;
} else await main(url);
