import assert from 'node:assert/strict';
import { PASSWORD, seedWorld, type Seeded } from '../../scripts/seed/play.js';
import { planWorld, type Size } from '../../scripts/seed/plan.js';
import { createLogger } from '../../src/lib/logger.js';
import { adjustedRand } from '../../src/ml/quality.js';
import { train } from '../testkit/learning.js';
import { administrator } from '../testkit/news.js';
import { take, World, type Person } from '../testkit/world.js';

const SMALL: Size = { people: 40, groups: 5, directChats: 40, days: 21 };
const SEED = 7;

describe('npm run seed: a believable world', () => {
  let world: World;
  let first: Seeded;
  before(async function () {
    this.timeout(60_000);
    world = await World.start();
    first = await seedWorld(world.config, createLogger('silent'), SEED, SMALL);
  });
  after(() => world.stop());

  const nothing = async (text: string): Promise<void> => assert.deepEqual(await world.sql(text), []);

  it('holds who and what the seed number says', async () => {
    const plan = planWorld(SEED, SMALL);
    assert.equal(first.made, true);
    assert.deepEqual(await world.sql('select handle from users order by handle'), plan.people.map(({ handle }) => ({ handle })).sort((a, b) => (a.handle < b.handle ? -1 : 1)));
    const planned = plan.chats.flatMap((chat) => chat.steps.flatMap((step) => (step.kind === 'say' && step.text !== null ? [step.text] : [])));
    const edited = new Map(plan.chats.flatMap((chat) => chat.steps.flatMap((step) => (step.kind === 'edit' ? [[step.text, step] as const] : []))));
    const stored = await world.sql<{ text: string }>(`select coalesce((select e.text from message_edits e where e.chat_id = m.chat_id and e.seq = m.seq order by e.version limit 1), m.text) as text
      from messages m where m.kind = 'TEXT'`);
    assert.ok(edited.size > 0 && planned.length > 300);
    assert.deepEqual(stored.map((row) => row.text).sort(), planned.sort());
  });

  it('the same number plans the same world, another number another', () => {
    assert.deepEqual(planWorld(SEED, SMALL), planWorld(SEED, SMALL));
    assert.notDeepEqual(planWorld(SEED, SMALL), planWorld(SEED + 1, SMALL));
  });

  it('a second run adds nothing', async () => {
    const counts = () => world.sql(`select (select count(*) from users)::int as people, (select count(*) from messages)::int as messages, (select count(*) from events)::int as events, (select sum(head) from streams)::int as heads`);
    const before = await counts();
    const second = await seedWorld(world.config, createLogger('silent'), SEED, SMALL);
    assert.deepEqual([second.made, second.counts], [false, first.counts]);
    assert.deepEqual(await counts(), before);
  });

  it('streams are gapless and end at their heads; every message has its one event, at its own time', async () => {
    await nothing(`select s.id from streams s left join (select stream, count(*) as n, max(pos) as last, min(pos) as first from events group by 1) e on e.stream = s.id
      where s.head <> coalesce(e.n, 0) or s.head <> coalesce(e.last, 0) or coalesce(e.first, 1) <> 1`);
    await nothing(`select m.seq from messages m left join events e on e.stream = 'chat:' || m.chat_id and e.kind = 'message.sent' and (e.ref->>'seq')::int = m.seq
      group by m.chat_id, m.seq, m.created_at having count(e.pos) <> 1 or min(e.at) <> m.created_at`);
    await nothing(`select stream from (select stream, pos, at, lag(at) over (partition by stream order by pos) as before from events where stream like 'chat:%') e where at < before`);
    await nothing(`select id from events e join streams s on s.id = e.stream where e.at > now() + interval '1 minute' or e.at < now() - interval '30 days'`);
  });

  it('counts and numbers say what the rows say', async () => {
    await nothing(`select c.id from chats c where c.last_seq <> (select count(*) from messages m where m.chat_id = c.id) or c.last_seq <> coalesce((select max(seq) from messages m where m.chat_id = c.id), 0)
      or c.member_count <> (select count(*) from chat_members m where m.chat_id = c.id)`);
    await nothing(`select c.id from chats c join messages m on m.chat_id = c.id and m.seq = c.last_seq where c.last_message_at <> m.created_at`);
    await nothing(`select g.id from groups g where g.member_count <> (select count(*) from group_members m where m.group_id = g.id and m.state = 'MEMBER')`);
    await nothing(`select m.seq from messages m where coalesce((select jsonb_object_agg(r->>0, (r->>1)::int) from jsonb_array_elements(m.reactions) r), '{}')
      <> coalesce((select jsonb_object_agg(emoji, n) from (select emoji, count(*)::int as n from message_reactions x where x.chat_id = m.chat_id and x.seq = m.seq group by 1) x), '{}')`);
    await nothing(`select m.seq from messages m where m.thread_count <> (select count(*) from messages a where a.chat_id = m.chat_id and a.thread_root_seq = m.seq)`);
    await nothing(`select o.idx from poll_options o where o.votes <> (select count(*) from poll_votes v where v.chat_id = o.chat_id and v.seq = o.seq and v.idx = o.idx)`);
    await nothing(`select user_id from chat_members m join chats c on c.id = m.chat_id where m.last_read_seq > c.last_seq or m.last_delivered_seq < m.last_read_seq or m.last_delivered_seq > c.last_seq`);
    const [some] = await world.sql<Record<string, number>>(`select (select count(*) from polls)::int as polls, (select count(*) from messages where thread_count > 0)::int as threads,
      (select count(*) from message_reactions)::int as reactions, (select count(*) from contacts)::int as contacts, (select count(*) from messages where reply_to_seq is not null)::int as replies`);
    for (const [what, count] of Object.entries(some!)) assert.ok(count > 0, `no ${what}`);
  });

  it('its people sign in, read, resume from any place, and go on talking', async () => {
    const { signIn } = await world.client().api.signIn({ input: { email: first.logins[0]!.email, password: PASSWORD } });
    const client = world.client(signIn.accessToken);
    const maya = { client, api: client.api } as Person;
    const [chat] = await world.sql<{ id: string; epoch: string; head: number }>(
      `select c.id, s.epoch, s.head::int from chats c join chat_members m on m.chat_id = c.id join users u on u.id = m.user_id and u.handle = 'maya' join streams s on s.id = 'chat:' || c.id order by s.head desc limit 1`,
    );
    const chatId = `cht_${chat!.id.replaceAll('-', '')}`;
    const from = Math.floor(chat!.head / 2);
    const stream = maya.client.chatEvents(chatId, Buffer.from(`chat:${chat!.id}|${chat!.epoch}|${from}`, 'latin1').toString('base64url'));
    await world.say(maya, chatId, 'I am back');
    const events = await take(stream, chat!.head - from + 1);
    stream.close();
    assert.deepEqual(events.map((event) => ('offset' in event ? event.offset : null)), events.map((_, index) => from + 1 + index));
    const last = events.at(-1)!;
    assert.equal(last.__typename === 'MessageSent' && last.message?.text, 'I am back');
  });

  it('has communities planted that nothing in it names: who learns from it finds them by either method, and suggests better than by popularity', async function () {
    this.timeout(240_000);
    const root = await administrator(world);
    const { people } = planWorld(SEED, SMALL);
    const clients = await Promise.all(people.map(async ({ email }) => world.client((await world.client().api.signIn({ input: { email, password: PASSWORD } })).signIn.accessToken)));
    for (const clustering of ['K_MEANS', 'DBSCAN'] as const) {
      const model = await train(world, root, { clustering });
      assert.deepEqual([model.state, model.clustering], ['ACTIVE', clustering], model.reason ?? '');
      const { model: ours, popularity } = model.evaluation!;
      assert.ok(ours.ndcg > popularity.ndcg && ours.recall > popularity.recall, JSON.stringify(model.evaluation));
      const found = await Promise.all(clients.map(async ({ api }) => (await api.personalization()).viewer!.inferred?.clusters.find(({ basis }) => basis === 'SUBJECT')?.id ?? 'none'));
      assert.equal(found.filter((id) => id === 'none').length, model.unclustered);
      const numbers = new Map([...new Set(found)].map((id, number) => [id, number]));
      const agreement = adjustedRand(found.map((id) => numbers.get(id)!), people.map(({ community }) => community));
      assert.ok(agreement >= 0.9, `by ${clustering} the adjusted Rand index is ${agreement}, eps ${model.eps}, minPoints ${model.minPoints}, unclustered ${model.unclustered}`);
    }
  });
});
