import assert from 'node:assert/strict';
import type { SetBotScheduleMutationVariables } from '../../sdk/index.js';
import { decodeId } from '../../src/lib/ids.js';
import { digest } from '../testkit/digest.js';
import { LanguageServer } from '../testkit/language-server.js';
import { eventually, fails, settle, World, type Person } from '../testkit/world.js';

type Input = SetBotScheduleMutationVariables['input'];
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('bots on a schedule', function () {
  this.timeout(120_000);
  let world: World;
  let server: LanguageServer;
  let ann: Person;
  let bob: Person;
  let bot: { id: string; user: { id: string } };
  let tilly: typeof bot;
  let chatId: string;
  before(async () => {
    server = await LanguageServer.start();
    server.reply = () => ({ texts: ['Three parcels ', 'were sent.'] });
    world = await World.start({ nodes: 2, settings: { ACCESS_TOKEN_TTL: '86400', ...server.settings } });
    [ann, bob] = await world.people('Ann', 'Bob');
    bot = (await ann.api.createBot({ input: { handle: 'caller', displayName: 'Caller', engine: 'EXTERNAL', idempotencyKey: world.key() } })).createBot.bot;
    tilly = (await ann.api.createBot({ input: { handle: 'tilly', displayName: 'Tilly', engine: 'BUILT_IN', idempotencyKey: world.key() } })).createBot.bot;
  });
  after(async () => {
    await world?.stop();
    await server.stop();
  });
  beforeEach(async () => {
    chatId = await world.groupChat(ann, [bob], 'Daily');
    for (const { id } of [bot, tilly]) await ann.api.addBotToChat({ input: { botId: id, chatId } });
  });
  afterEach(async () => {
    for (const { id } of [bot, tilly]) for (const { node } of await schedulesOf(id)) await ann.api.removeBotSchedule({ input: { scheduleId: node.id } });
  });

  const input = (more: Partial<Input> = {}): Input => ({ botId: bot.id, chatId, every: 'HOURS', hours: 1, text: 'Tea time!', idempotencyKey: world.key(), ...more });
  const set = async (more: Partial<Input> = {}, who = ann) => (await who.api.setBotSchedule({ input: input(more) })).setBotSchedule.schedule;
  const schedulesOf = async (id: string, who = ann) => (await who.api.botSchedules({ id })).bot!.schedules.edges;
  const said = async () => (await bob.api.chatMessages({ id: chatId, last: 100 })).chat!.messages.edges.filter(({ node }) => node.sender.kind === 'BOT').map(({ node }) => node);
  const saying = (count: number) => eventually(async () => (await said()).length >= count, `${count} were said`, 20_000);
  const nextOf = async (id = bot.id) => Date.parse((await schedulesOf(id))[0]!.node.nextAt);

  it('speak at each of their times once, though many processes look', async () => {
    const schedule = await set();
    assert.equal(Date.parse(schedule.nextAt) > world.clock.now().getTime() + 59 * MINUTE, true);
    world.clock.advance(58 * MINUTE);
    await settle(1_200);
    assert.deepEqual(await said(), []);
    for (let time = 1; time <= 3; time++) {
      world.clock.advance((await nextOf()) - world.clock.now().getTime() + 1_000);
      const { botSchedules } = world.app.container.jobs;
      await Promise.all([...world.apps.map((app) => app.container.jobs.botSchedules.sweep()), botSchedules.sweep()]);
      await saying(time);
    }
    await settle(1_200);
    assert.deepEqual((await said()).map(({ text, sender, kind }) => [text, sender.handle, kind]), Array.from({ length: 3 }, () => ['Tea time!', 'caller', 'TEXT']));
  });

  it('say nothing twice when the process that said it dies before it has noted so', async () => {
    await set();
    const due = await nextOf();
    world.clock.advance(due - world.clock.now().getTime() + 1_000);
    await saying(1);
    await eventually(async () => (await nextOf()) > due, 'it is noted');
    await world.sql(`update bot_schedules set next_at = $1, lease_until = '-infinity'`, [new Date(due)]);
    await eventually(async () => (await nextOf()) > due, 'it is noted again');
    assert.equal((await said()).length, 1);
  });

  it('go by the clocks of a zone, and make up for nothing that was missed', async () => {
    const schedule = await set({ every: 'DAY', hours: null, at: '07:15', timeZone: 'Europe/Zurich' });
    assert.match(new Date(schedule.nextAt).toLocaleString('en-GB', { timeZone: 'Europe/Zurich' }), /07:15:00$/);
    await world.sql('update bot_schedules set next_at = $1', [new Date(world.clock.now().getTime() - 2 * HOUR)]);
    await eventually(async () => (await nextOf()) > world.clock.now().getTime(), 'it moves on');
    assert.equal(await nextOf(), Date.parse(schedule.nextAt));
    assert.deepEqual(await said(), []);
    const { nextAt, weekdays } = await set({ scheduleId: schedule.id, every: 'WEEK', hours: null, at: '07:15', weekdays: ['SUNDAY'], timeZone: 'Europe/Zurich' });
    assert.deepEqual([new Date(nextAt).toLocaleDateString('en', { weekday: 'long', timeZone: 'Europe/Zurich' }), weekdays, (await schedulesOf(bot.id)).length], ['Sunday', ['SUNDAY'], 1]);
  });

  it('are asked what they are to be asked, as by their owner', async () => {
    await set({ botId: tilly.id, text: null, prompt: 'How many parcels were sent today?' });
    world.clock.advance((await nextOf(tilly.id)) - world.clock.now().getTime() + 1_000);
    await saying(1);
    assert.deepEqual((await said()).map(({ text, sender }) => [text, sender.handle]), [['Three parcels were sent.', 'tilly']]);
    assert.equal(server.asked.length, 1);
    assert.match(JSON.stringify(server.asked[0]!.body.messages), /Ann asks: How many parcels were sent today\?/);
  });

  it('end when the bot leaves, or its owner does', async () => {
    const group = chatId;
    await set();
    await ann.api.removeChatMember({ input: { chatId, userId: bot.user.id } });
    assert.deepEqual(await schedulesOf(bot.id), []);
    await ann.api.addBotToChat({ input: { botId: bot.id, chatId } });
    await set();
    await ann.api.updateChatMemberRole({ input: { chatId: group, userId: bob.id, role: 'OWNER' } }).catch(() => undefined);
    await ann.api.leaveChat({ input: { chatId } });
    world.clock.advance((await nextOf()) - world.clock.now().getTime() + 1_000);
    await eventually(async () => !(await schedulesOf(bot.id)).length, 'it has ended');
    assert.deepEqual(await said(), []);
  });

  it('are set by their owner, where they run the chat and the bot is in it; others see none', async () => {
    const { id: scheduleId } = await set();
    const theirs = await world.groupChat(bob, [ann], 'Bob’s');
    const without = await world.groupChat(ann, [], 'Without');
    const [bobs] = await Promise.all([bob.api.createBot({ input: { handle: `b_${world.key().replace('-', '_')}`, displayName: 'Bob’s', engine: 'EXTERNAL', idempotencyKey: world.key() } })]);
    const before = await digest(world);
    await fails(set({}, bob), 'FORBIDDEN');
    await fails(set({ chatId: theirs }), 'FORBIDDEN');
    await fails(set({ chatId: theirs }, bob), 'NOT_FOUND');
    await fails(set({ chatId: without }), 'STATE_CONFLICT', 'chatId');
    await fails(set({ botId: bobs.createBot.bot.id }), 'NOT_FOUND');
    await fails(bob.api.removeBotSchedule({ input: { scheduleId } }), 'NOT_FOUND', 'scheduleId');
    await fails(set({ botId: tilly.id, scheduleId }), 'NOT_FOUND', 'scheduleId');
    assert.deepEqual(await schedulesOf(bot.id, bob), []);
    const wrong: [Partial<Input>, string][] = [
      [{ hours: 0 }, 'hours'], [{ hours: 169 }, 'hours'], [{ hours: null }, 'hours'], [{ at: '09:30' }, 'at'], [{ every: 'DAY' }, 'hours'], [{ every: 'DAY', hours: null }, 'at'], [{ every: 'DAY', hours: null, at: '24:00' }, 'at'],
      [{ every: 'DAY', hours: null, at: '09:30', weekdays: ['MONDAY'] }, 'weekdays'], [{ every: 'WEEK', hours: null, at: '09:30' }, 'weekdays'], [{ timeZone: 'Europe/Atlantis' }, 'timeZone'], [{ text: null }, 'text'], [{ prompt: 'Hm?' }, 'text'],
      [{ text: null, prompt: 'Hm?' }, 'prompt'], [{ text: '' }, 'text'], [{ text: 'x'.repeat(17_000) }, 'text'], [{ botId: tilly.id, text: null, prompt: 'x'.repeat(2_049) }, 'prompt'],
    ];
    for (const [more, field] of wrong) await fails(set(more), 'INVALID_INPUT', field);
    assert.deepEqual(await digest(world), before);
    for (let more = 1; more < 10; more++) await set();
    await fails(set(), 'LIMIT_REACHED');
    const key = world.key();
    const again = { scheduleId, idempotencyKey: key, text: 'Once.' };
    assert.equal((await set(again)).id, (await set(again)).id);
  });

  describe('while the model thinks', () => {
    /** Without jobs: a test says when it is looked for what is due, and knows when that is done. */
    let still: World;
    let owner: Person;
    let asked: { id: string };
    let group: string;
    let scheduleId: string;
    let answer: () => void;
    let sweep: Promise<boolean>;
    let run = 0;
    before(async () => {
      still = await World.start({ settings: { JOBS: 'false', ACCESS_TOKEN_TTL: '86400', ...server.settings } });
    });
    after(() => still?.stop());
    beforeEach(async () => {
      run++;
      owner = await still.person(`Olga_${run}`);
      group = await still.groupChat(owner, [await still.person(`Max_${run}`)]);
      asked = (await owner.api.createBot({ input: { handle: `t_${still.key().replace('-', '_')}`, displayName: 'Tilly', engine: 'BUILT_IN', idempotencyKey: still.key() } })).createBot.bot;
      await owner.api.addBotToChat({ input: { botId: asked.id, chatId: group } });
      scheduleId = (await prompt('How many parcels?')).id;
      const held = new Promise<void>((resolve) => (answer = resolve));
      server.asked.length = 0;
      server.reply = async () => {
        await held;
        return { texts: ['Three parcels.'] };
      };
      still.clock.advance(HOUR + 1_000);
      sweep = still.app.container.jobs.botSchedules.sweep();
      await eventually(() => server.asked.length === 1, 'the model is asked');
    });

    const prompt = async (text: string, of: string | null = null) =>
      (await owner.api.setBotSchedule({ input: { botId: asked.id, chatId: group, scheduleId: of, every: 'HOURS', hours: 1, prompt: text, idempotencyKey: still.key() } })).setBotSchedule.schedule;
    const spoken = async (): Promise<(string | null)[]> => {
      answer();
      await sweep;
      return (await still.sql<{ text: string }>('select m.text from messages m join bots b on b.id = m.sender_id where m.chat_id = $1 order by m.seq', [decodeId('Chat', group)])).map(({ text }) => text);
    };
    const left = async () => (await owner.api.botSchedules({ id: asked.id })).bot!.schedules.edges.map(({ node }) => [node.prompt, node.nextAt]);
    // It would be due in the next test too.
    afterEach(async () => {
      for (const { node } of (await owner.api.botSchedules({ id: asked.id })).bot!.schedules.edges) await owner.api.removeBotSchedule({ input: { scheduleId: node.id } });
    });

    it('what nobody has touched is said', async () => {
      assert.deepEqual(await spoken(), ['Three parcels.']);
      assert.equal((await left()).length, 1);
    });

    it('what was removed is not', async () => {
      await owner.api.removeBotSchedule({ input: { scheduleId } });
      assert.deepEqual([await spoken(), await left()], [[], []]);
    });

    it('nor what was replaced; the other waits for its time', async () => {
      const { nextAt } = await prompt('How many letters?', scheduleId);
      assert.deepEqual([await spoken(), await left()], [[], [['How many letters?', nextAt]]]);
    });

    it('nor what its owner has left the chat of', async () => {
      await owner.api.leaveChat({ input: { chatId: group } });
      assert.deepEqual([await spoken(), await left()], [[], []]);
    });
  });
});
