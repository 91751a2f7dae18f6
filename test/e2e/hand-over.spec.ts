import assert from 'node:assert/strict';
import { encodeId } from '../../src/lib/ids.js';
import { ask, makeBot } from '../testkit/bots.js';
import { digest } from '../testkit/digest.js';
import { eventually, fails, take, World, type Person } from '../testkit/world.js';

const FAQ = [
  { question: 'How long does delivery take?', answer: 'Parcels arrive within three working days.' },
  { question: 'Which cards do you accept?', answer: 'We take Visa and Mastercard.' },
];
const NOT_KNOWN = 'who was the first king of Atlantis?';

describe('handing over to a person', function () {
  this.timeout(60_000);
  let world: World;
  let owner: Person;
  let agent: Person;
  let colleague: Person;
  let asker: Person;
  let stranger: Person;
  let botId: string;
  let userId: string;
  let team: string;
  let direct: string;
  before(async () => {
    world = await World.start({ settings: { BOTS: 'true' } });
    [owner, agent, colleague] = await world.people('Owner', 'Agnes', 'Colin');
    [asker, stranger] = await world.people('Asker', 'Stranger');
    ({ botId, userId } = await makeBot(world, owner, 'helpy', FAQ));
    team = await world.groupChat(owner, [agent, colleague], 'Support');
    direct = (await asker.api.createChat({ input: { kind: 'DIRECT', memberIds: [userId], idempotencyKey: world.key() } })).createChat.chat.id;
  });
  after(() => world.stop());

  const queueOf = async (person: Person, states?: ('OPEN' | 'ASSIGNED')[]) => (await person.api.supportQueue(states ? { states } : {})).viewer!.supportQueue.edges.map(({ node }) => node);
  const ownOf = async (person: Person) => (await person.api.supportCases({})).viewer!.supportCases.edges.map(({ node }) => node);
  const request = async (person: Person, withTranscript = true) => (await person.api.requestPerson({ input: { botId, withTranscript, idempotencyKey: world.key() } })).requestPerson.supportCase;
  const unchanged = async (work: () => Promise<unknown>) => {
    // How far bots have read the log moves by itself.
    const { log_consumers: _, ...before } = await digest(world);
    await work();
    const { log_consumers: __, ...after } = await digest(world);
    assert.deepEqual(after, before);
  };

  it('is set by the owner, who runs the chat of those who take cases', async () => {
    await unchanged(async () => {
      await fails(request(asker), 'STATE_CONFLICT', 'botId');
      await fails(agent.api.setBotHandOver({ input: { botId, chatId: team } }), 'NOT_FOUND');
      await fails(owner.api.setBotHandOver({ input: { botId, chatId: await theirs() } }), 'FORBIDDEN');
      await fails(owner.api.setBotHandOver({ input: { botId, chatId: team, afterUnknown: 1 } }), 'INVALID_INPUT', 'afterUnknown');
    });
    const { bot } = (await owner.api.setBotHandOver({ input: { botId, chatId: team, afterUnknown: 2 } })).setBotHandOver;
    assert.deepEqual([bot.handsOver, bot.handOver], [true, { chatId: team, afterUnknown: 2 }]);
    assert.deepEqual((({ handsOver, handOver }) => [handsOver, handOver])((await asker.api.botHandOver({ botId })).bot!), [true, null]);
  });
  let others: string | null = null;
  const theirs = async () => (others ??= encodeId('Chat', (await world.sql<{ id: string }>(`select c.id from chats c where c.title = 'Agnes’s'`))[0]!.id));
  before(async () => {
    await world.groupChat(agent, [owner], 'Agnes’s');
    await theirs();
  });

  it('answers everybody in direct chats, and hands over once it did not know twice in a row, having said so before', async () => {
    assert.equal((await ask(world, asker, direct, 'How long does delivery take?')).last.text, 'Parcels arrive within three working days.');
    const first = await ask(world, asker, direct, NOT_KNOWN);
    assert.match(first.last.text, /^I don’t know\.[^]*If you ask me for a person, I hand over to one\. Whoever comes reads the last 50 messages between us\.$/);
    // One that it knows begins the count anew.
    await ask(world, asker, direct, 'Which cards do you accept?');
    assert.match((await ask(world, asker, direct, NOT_KNOWN)).last.text, /If you ask me for a person/);
    assert.deepEqual(await ownOf(asker), []);
    const stream = agent.client.inboxEvents();
    const second = ask(world, asker, direct, 'and who was its second queen?');
    const [event] = await take(stream, 1);
    await stream.return();
    assert.match((await second).last.text, /^I don’t know\.[^]*I have asked for a person to come\. Whoever does reads the last 50 messages between us, up to here\./);
    assert.ok(event!.__typename === 'SupportCaseChanged');
    const [own] = await ownOf(asker);
    assert.deepEqual([event.supportCaseId, event.supportCase?.state, own!.state, own!.reason, own!.agent, own!.chatId], [own!.id, 'OPEN', 'OPEN', 'UNKNOWN', null, null]);
    assert.deepEqual((await queueOf(agent)).map(({ id, asker: who, transcript }) => [id, who!.handle, transcript]), [[own!.id, 'asker', []]], 'nobody reads what was said before they have taken it');
    assert.deepEqual(await queueOf(stranger), []);
    assert.deepEqual(await queueOf(asker), []);
  });

  it('opens one case at a time, by words and by the mutation', async () => {
    assert.match((await ask(world, asker, direct, 'Can I speak to a human?')).last.text, /^A person has been asked to come already/);
    const [own] = await ownOf(asker);
    assert.equal((await request(asker)).id, own!.id);
    assert.equal((await ownOf(asker)).length, 1);
  });

  it('is taken by exactly one, who reads what is still there of what was said, and in whose chat the bot is silent until it is resolved', async () => {
    const { id: supportCaseId } = (await ownOf(asker))[0]!;
    await asker.api.deleteMessage({ input: { messageId: (await world.say(asker, direct, 'after the case was opened')).id, scope: 'FOR_EVERYONE' } });
    const page = (await asker.api.chatMessages({ id: direct, first: 20 })).chat!.messages.edges.map(({ node }) => node);
    await asker.api.deleteMessage({ input: { messageId: page.find(({ text }) => text === 'Which cards do you accept?')!.id, scope: 'FOR_EVERYONE' } });
    await asker.api.deleteMessage({ input: { messageId: page.find(({ text }) => text === 'How long does delivery take?')!.id, scope: 'FOR_ME' } });
    await unchanged(async () => {
      await fails(stranger.api.takeSupportCase({ input: { supportCaseId } }), 'NOT_FOUND');
      await fails(stranger.api.resolveSupportCase({ input: { supportCaseId } }), 'NOT_FOUND');
      await fails(asker.api.takeSupportCase({ input: { supportCaseId } }), 'FORBIDDEN');
      await fails(owner.api.resolveSupportCase({ input: { supportCaseId } }), 'STATE_CONFLICT');
      await fails(agent.api.resolveSupportCase({ input: { supportCaseId } }), 'FORBIDDEN');
      await fails(agent.api.cancelSupportCase({ input: { supportCaseId } }), 'FORBIDDEN');
    });
    const tries = await Promise.allSettled([agent, colleague, owner].map((person) => person.api.takeSupportCase({ input: { supportCaseId } }).then(({ takeSupportCase }) => ({ person, taken: takeSupportCase.supportCase }))));
    const [won, ...more] = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    assert.deepEqual([more.length, ...tries.flatMap((one) => (one.status === 'rejected' ? [(one.reason as { code: string }).code] : []))], [0, 'STATE_CONFLICT', 'STATE_CONFLICT']);
    const { person, taken } = won!;
    assert.equal((await person.api.takeSupportCase({ input: { supportCaseId } })).takeSupportCase.supportCase.chatId, taken.chatId);
    assert.equal((await world.sql('select from support_cases where case_chat_id is not null')).length, 1);
    assert.deepEqual([taken.state, taken.agent!.id], ['ASSIGNED', person.id]);
    assert.deepEqual(taken.transcript.filter(({ fromBot }) => !fromBot).map(({ text }) => text), [NOT_KNOWN, NOT_KNOWN, 'and who was its second queen?']);
    assert.equal(taken.transcript.filter(({ fromBot }) => fromBot).length, 4);
    const loser = [agent, colleague].find((one) => one.id !== person.id)!;
    assert.deepEqual((await queueOf(loser, ['ASSIGNED'])).map(({ transcript }) => transcript), [[]]);

    const chatId = taken.chatId!;
    const chat = (await asker.api.chatMessages({ id: chatId, first: 20 })).chat!.messages.edges.map(({ node }) => node);
    assert.match(chat[0]!.text!, /has taken this on\. I say nothing here until it is resolved\.$/);
    assert.equal(chat[0]!.sender.id, userId);
    await world.say(person, chatId, 'Hello, how can I help?');
    const silent = await world.say(asker, chatId, '@helpy how long does delivery take?');
    await ask(world, asker, direct, 'Which cards do you accept?');
    assert.deepEqual(await world.sql('select from bot_replies where seq = $1 and chat_id = (select case_chat_id from support_cases)', [silent.seq]), []);

    await fails(loser.api.resolveSupportCase({ input: { supportCaseId } }), 'FORBIDDEN');
    const resolved = (await person.api.resolveSupportCase({ input: { supportCaseId } })).resolveSupportCase.supportCase;
    assert.deepEqual([resolved.state, resolved.transcript], ['RESOLVED', []]);
    await unchanged(async () => {
      assert.equal((await person.api.resolveSupportCase({ input: { supportCaseId } })).resolveSupportCase.supportCase.state, 'RESOLVED');
      await fails(asker.api.cancelSupportCase({ input: { supportCaseId } }), 'STATE_CONFLICT');
      await fails(agent.api.takeSupportCase({ input: { supportCaseId } }), 'STATE_CONFLICT');
    });
    assert.equal((await ask(world, asker, chatId, '@helpy how long does delivery take?')).last.text, 'Parcels arrive within three working days.');
  });

  it('is asked for in words, in other languages, and cancelled by whoever has asked', async () => {
    assert.match((await ask(world, asker, direct, 'Ich möchte mit einem Menschen sprechen')).last.text, /^Ich habe einen Menschen dazugebeten\./);
    const { id: supportCaseId, reason } = (await ownOf(asker))[0]!;
    assert.equal(reason, 'ASKED');
    await asker.api.cancelSupportCase({ input: { supportCaseId } });
    assert.deepEqual(await queueOf(agent), []);
    await fails(agent.api.takeSupportCase({ input: { supportCaseId } }), 'STATE_CONFLICT');
  });

  it('hands on nothing where the asker does not want it, and nothing across a block', async () => {
    await asker.api.blockUser({ input: { userId: agent.id } });
    const { id: supportCaseId, transcript } = await request(asker, false);
    assert.deepEqual(transcript, []);
    assert.deepEqual(await queueOf(agent), []);
    await fails(agent.api.takeSupportCase({ input: { supportCaseId } }), 'NOT_FOUND');
    assert.deepEqual((await colleague.api.takeSupportCase({ input: { supportCaseId } })).takeSupportCase.supportCase.transcript, []);
    await asker.api.cancelSupportCase({ input: { supportCaseId } });
    await asker.api.unblockUser({ input: { userId: agent.id } });
    await asker.api.blockUser({ input: { userId } });
    await unchanged(() => fails(request(asker), 'BLOCKED', 'botId'));
    await asker.api.unblockUser({ input: { userId } });
  });

  it('shows a case no more to whoever takes none any longer, though they were told of it when they did', async () => {
    const people = [agent, asker, colleague];
    const cursors = await Promise.all(people.map(async (person) => (await person.api.viewer()).viewer!.eventCursor));
    const from = (index: number) => people[index]!.client.inboxEvents([cursors[index]!]);
    const shown = async (stream: ReturnType<typeof from>) => {
      const [event] = await take(stream, 1);
      assert.ok(event!.__typename === 'SupportCaseChanged');
      return [event.supportCaseId, event.supportCase && event.supportCase.state];
    };
    const listening = from(2);
    const { id: supportCaseId } = await request(asker);
    assert.deepEqual(await shown(listening), [supportCaseId, 'OPEN']);
    await owner.api.removeChatMember({ input: { chatId: team, userId: colleague.id } });
    const again = [0, 1, 2].map(from);
    assert.deepEqual(await Promise.all(again.map(shown)), [[supportCaseId, 'OPEN'], [supportCaseId, 'OPEN'], [supportCaseId, null]]);
    for (const stream of [listening, ...again]) stream.close();
    await owner.api.addChatMembers({ input: { chatId: team, memberIds: [colleague.id] } });
    await asker.api.cancelSupportCase({ input: { supportCaseId } });
  });

  it('waits for somebody else when whoever has taken it is erased, and ends when whoever has asked is', async () => {
    const { id: supportCaseId } = await request(asker);
    const { chatId } = (await colleague.api.takeSupportCase({ input: { supportCaseId } })).takeSupportCase.supportCase;
    await colleague.api.deleteAccount({ input: { handle: 'colin', password: 'password of colin' } });
    await eventually(async () => (await queueOf(agent)).length === 1, 'it waits again', 20_000);
    const again = (await agent.api.takeSupportCase({ input: { supportCaseId } })).takeSupportCase.supportCase;
    assert.deepEqual([again.chatId, again.agent!.id], [chatId, agent.id]);
    assert.equal((await agent.api.chatMessages({ id: chatId!, first: 20 })).chat!.messages.edges.at(-1)!.node.sender.id, userId);
    await asker.api.deleteAccount({ input: { handle: 'asker', password: 'password of asker' } });
    await eventually(async () => (await world.sql(`select from support_cases where state in ('OPEN', 'ASSIGNED')`)).length === 0, 'it has ended', 20_000);
    assert.deepEqual(await queueOf(agent, ['OPEN', 'ASSIGNED']), []);
  });

  it('takes no more once the owner runs the chat no longer, or takes it back', async () => {
    const before = await request(stranger);
    await owner.api.setBotHandOver({ input: { botId } });
    assert.deepEqual(await queueOf(agent), []);
    await fails(agent.api.takeSupportCase({ input: { supportCaseId: before.id } }), 'NOT_FOUND');
    await fails(request(stranger), 'STATE_CONFLICT', 'botId');
    await owner.api.setBotHandOver({ input: { botId, chatId: team } });
    assert.equal((await queueOf(agent)).length, 1);
    await owner.api.leaveChat({ input: { chatId: team } });
    assert.deepEqual(await queueOf(agent), []);
  });
});
