import assert from 'node:assert/strict';
import { WebSocket } from 'ws';
import { OmniTalkError, type ChatEvent, type EventStream } from '../../sdk/index.js';
import { chatStream, userStream } from '../../src/events/catalogue.js';
import { encodeCursor } from '../../src/events/cursor.js';
import { decodeId } from '../../src/lib/ids.js';
import { befriend } from '../testkit/statuses.js';
import { eventually, take, within, World, type Person } from '../testkit/world.js';

/** Everything until the stream ends, and why it did. */
async function toTheEnd<Event extends { __typename: string }>(stream: EventStream<Event>): Promise<{ events: Event[]; code: string }> {
  const events: Event[] = [];
  for (;;) {
    try {
      const result = await within(stream.next(), `the stream’s end, after ${events.map((event) => event.__typename).join(', ')}`);
      if (result.done) return { events, code: 'complete' };
      events.push(result.value);
    } catch (error) {
      if (error instanceof OmniTalkError) return { events, code: error.code };
      throw error;
    }
  }
}

const names = (events: readonly { __typename: string }[]) => events.map((event) => event.__typename);
const textOf = (event: ChatEvent) => ('message' in event && event.message && 'text' in event.message ? event.message.text : null);

describe('who may hear what, and until when', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let carol: Person;
  before(async () => {
    world = await World.start();
    [ann, bob, carol] = await world.people('Ann', 'Bob', 'Carol');
  });
  after(() => world.stop());

  const cursorOf = async (person: Person, chatId: string) => (await person.api.chat({ id: chatId })).chat!.eventCursor;
  const streamOf = (chatId: string) => chatStream(decodeId('Chat', chatId));
  const add = (chatId: string, person: Person) => ann.api.addChatMembers({ input: { chatId, memberIds: [person.id] } });
  const remove = (chatId: string, person: Person) => ann.api.removeChatMember({ input: { chatId, userId: person.id } });
  /** A subscription that certainly stands: it has told of a message. */
  async function standing(person: Person, chatId: string): Promise<EventStream<ChatEvent>> {
    const stream = person.client.chatEvents(chatId, await cursorOf(person, chatId));
    await world.say(ann, chatId, 'so that it stands');
    await take(stream, 1);
    return stream;
  }

  it('a removal is the last thing that the removed hear: ACCESS_REVOKED on the subscription, silence in the inbox', async () => {
    const chatId = await world.groupChat(ann, [bob, carol]);
    const stream = await standing(bob, chatId);
    const inbox = bob.client.inboxEvents([(await bob.api.viewer()).viewer!.eventCursor, await cursorOf(bob, chatId)]);
    await world.say(ann, chatId, 'before');
    await take(inbox, 1);
    await Promise.all([remove(chatId, bob), world.say(carol, chatId, 'meanwhile')]);
    await world.say(ann, chatId, 'after');
    const { events, code } = await toTheEnd(stream);
    assert.equal(code, 'ACCESS_REVOKED');
    assert.equal(events.at(-1)!.__typename, 'MemberLeft');
    assert.ok(events.every((event) => textOf(event) !== 'after'));
    const another = await world.directChat(ann, bob);
    await world.say(ann, another, 'the end');
    const heard: string[] = [];
    for (;;) {
      const [event] = await take(inbox, 1);
      if (event!.__typename === 'MessageSent' && event!.message?.text === 'the end') break;
      heard.push('message' in event! && event.message && 'text' in event.message ? String(event.message.text) : event!.__typename);
    }
    assert.ok(heard.includes('ChatRemoved'));
    assert.ok(!heard.includes('after'), heard.join());
    inbox.close();
    const again = await toTheEnd(bob.client.chatEvents(chatId, events.at(-1)!.cursor));
    assert.deepEqual(again, { events: [], code: 'NOT_FOUND' });
  });

  it('who comes back is told to start anew, and hears nothing of what was said without them', async () => {
    const chatId = await world.groupChat(ann, [bob]);
    await world.say(ann, chatId, 'first stay');
    const old = await cursorOf(bob, chatId);
    const own = (await bob.api.viewer()).viewer!.eventCursor;
    await remove(chatId, bob);
    await world.say(ann, chatId, 'without Bob');
    await add(chatId, bob);
    await world.say(ann, chatId, 'second stay');
    const { events, code } = await toTheEnd(bob.client.chatEvents(chatId, old));
    assert.equal(code, 'complete');
    assert.deepEqual(events.map((event) => event.__typename === 'ResyncRequired' && event.reason), ['EXPIRED']);
    // The inbox knows of the leaving and the joining from one's own stream.
    const inbox = bob.client.inboxEvents([own, old]);
    const told = await take(inbox, 5);
    assert.deepEqual(names(told).sort(), ['ChatAdded', 'ChatRemoved', 'MemberJoined', 'MessageSent', 'MessageSent']);
    assert.deepEqual(told.flatMap((event) => (event.__typename === 'MessageSent' ? [event.message?.system?.action ?? event.message?.text] : [])), ['MEMBER_ADDED', 'second stay']);
    inbox.close();
    // Without one's own cursor nothing tells of it: the chat's says so itself.
    const chatOnly = bob.client.inboxEvents([old]);
    const [resync] = await take(chatOnly, 1);
    assert.deepEqual(resync!.__typename === 'ResyncRequired' && [resync!.reason, resync!.streamId], ['EXPIRED', chatId]);
    chatOnly.close();
  });

  it('removed and added again at once, and again, an inbox follows each stay and misses nothing of it', async () => {
    const chatId = await world.groupChat(ann, [bob]);
    const inbox = bob.client.inboxEvents([(await bob.api.viewer()).viewer!.eventCursor, await cursorOf(bob, chatId)]);
    for (let time = 0; time < 5; time++) {
      await remove(chatId, bob);
      await world.say(ann, chatId, `without ${time}`);
      await add(chatId, bob);
      await world.say(ann, chatId, `with ${time}`);
    }
    const texts: string[] = [];
    while (texts.at(-1) !== 'with 4') {
      const [event] = await take(inbox, 1);
      if (event!.__typename === 'MessageSent' && event!.message?.text) texts.push(event!.message.text);
    }
    assert.deepEqual(new Set(texts.filter((text) => text.startsWith('without'))), new Set());
    // A stay that was over before it was heard of is told by ChatRemoved alone; the last one is whole.
    assert.equal(texts.filter((text) => text === 'with 4').length, 1);
    assert.equal(new Set(texts).size, texts.length);
    inbox.close();
  });

  for (const [documents, own] of [['executed once for all', ''], ['with parts that are each viewer’s own', 'viewerState { starred }']] as const) it(`an older message is never shown to a newer member, however an event leads to it, and is shown to the older ones: ${documents}`, async () => {
    const chatId = await world.groupChat(ann, [bob]);
    const old = await world.say(ann, chatId, 'old secret');
    const oldReply = (await bob.api.sendMessage({ input: { chatId, text: 'old answer', replyToId: old.id, idempotencyKey: world.key() } })).sendMessage.message;
    await add(chatId, carol);
    const deep = `message { text ${own} replyTo { state message { text ${own} replyTo { state message { text } } } } }`;
    const query = `subscription($id: ID!, $after: EventCursor) { chatEvents(chatId: $id, after: $after) { __typename ... on MessageSent { ${deep} } ... on MessageUpdated { ${deep} } ... on ReactionsChanged { reactions { emoji } ${deep} } ... on PinnedMessagesChanged { messageId ${deep} } } }`;
    type Told = { chatEvents: { __typename: string; message?: unknown } };
    const [seenByBob, seenByCarol] = await Promise.all([bob, carol].map(async (person) => person.client.subscribe<Told, Record<string, unknown>>(query, { id: chatId, after: await cursorOf(person, chatId) })));
    const reply = (await bob.api.sendMessage({ input: { chatId, text: 'new answer', replyToId: oldReply.id, idempotencyKey: world.key() } })).sendMessage.message;
    await bob.api.sendMessage({ input: { chatId, text: 'newer answer', replyToId: reply.id, idempotencyKey: world.key() } });
    await bob.api.editMessage({ input: { messageId: oldReply.id, text: 'old answer, edited' } });
    await ann.api.addReaction({ input: { messageId: old.id, emoji: '👍' } });
    await ann.api.pinMessage({ input: { messageId: old.id } });
    const next = async (stream: EventStream<Told>, count: number) => {
      const events = [];
      for (let n = 0; n < count; n++) events.push((await within(stream.next(), `event ${n}`)).value!.chatEvents);
      return events;
    };
    const [bobs, carols] = [await next(seenByBob!, 5), await next(seenByCarol!, 5)];
    assert.ok(JSON.stringify(bobs).includes('old secret'));
    assert.ok(!JSON.stringify(carols).includes('old'), JSON.stringify(carols));
    const hidden = { state: 'HIDDEN', message: null };
    const mine = own ? { viewerState: { starred: false } } : {};
    assert.deepEqual(carols, [
      { __typename: 'MessageSent', message: { text: 'new answer', ...mine, replyTo: hidden } },
      { __typename: 'MessageSent', message: { text: 'newer answer', ...mine, replyTo: { state: 'VISIBLE', message: { text: 'new answer', ...mine, replyTo: hidden } } } },
      { __typename: 'MessageUpdated', message: null },
      { __typename: 'ReactionsChanged', reactions: [], message: null },
      { __typename: 'PinnedMessagesChanged', messageId: old.id, message: null },
    ]);
    // The same from the log, and from what is kept behind the live end.
    for (const stream of [seenByBob!, seenByCarol!]) stream.close();
  });

  it('what was erased is not brought back by a resume, whether it was kept or is read from the log', async () => {
    const chatId = await world.groupChat(ann, [bob]);
    const after = await cursorOf(bob, chatId);
    const live = bob.client.chatEvents(chatId, after);
    const secret = await world.say(ann, chatId, 'secret');
    await bob.api.sendMessage({ input: { chatId, text: 'quotes it', replyToId: secret.id, idempotencyKey: world.key() } });
    assert.deepEqual((await take(live, 2)).map(textOf), ['secret', 'quotes it']);
    await ann.api.deleteMessage({ input: { messageId: secret.id, scope: 'FOR_EVERYONE' } });
    await take(live, 1);
    const kept = bob.client.chatEvents(chatId, after);
    const fromRing = await take(kept, 3);
    live.close();
    kept.close();
    world.app.serving.channels.close(); // what is kept is gone
    const read = bob.client.chatEvents(chatId, after);
    const fromLog = await take(read, 3);
    read.close();
    for (const events of [fromRing, fromLog]) {
      assert.deepEqual(names(events), ['MessageSent', 'MessageSent', 'MessageDeleted']);
      assert.ok(!JSON.stringify(events).includes('secret'), JSON.stringify(events));
      assert.equal(events[1]!.__typename === 'MessageSent' && events[1]!.message?.replyTo?.state, 'DELETED');
    }
  });

  it('what was shown to somebody alone is not brought back by a resume either: a status taken back, a chat that they were removed from', async () => {
    await befriend(ann, bob);
    const after = [(await bob.api.viewer()).viewer!.eventCursor];
    type Told = { inboxEvents: { __typename: string; streamId: string } };
    const query = 'subscription($after: [EventCursor!]) { inboxEvents(after: $after) { __typename ... on StreamEvent { streamId } ... on ChatAdded { chat { title } } ... on StatusPosted { status { text } } } }';
    const open = (variables: { after?: string[] }) => bob.client.subscribe<Told, Record<string, unknown>>(query, variables);
    /** What comes on Bob's own stream, up to one of a kind. */
    const upTo = async (stream: EventStream<Told>, kind: string) => {
      const events: Told['inboxEvents'][] = [];
      while (events.at(-1)?.__typename !== kind) {
        const { inboxEvents } = (await within(stream.next(), kind)).value!;
        if (inboxEvents.streamId === bob.id && inboxEvents.__typename !== 'InboxCheckpoint') events.push(inboxEvents);
      }
      return events;
    };
    const live = open({});
    await within(live.next(), 'the checkpoint');
    const chatId = await world.groupChat(ann, [bob], 'secret plans');
    const { status } = (await ann.api.postStatus({ input: { text: 'secret', idempotencyKey: world.key() } })).postStatus;
    assert.deepEqual(await upTo(live, 'StatusPosted'), [
      { __typename: 'ChatAdded', streamId: bob.id, chat: { title: 'secret plans' } },
      { __typename: 'StatusPosted', streamId: bob.id, status: { text: 'secret' } },
    ]);
    await remove(chatId, bob);
    await ann.api.deleteStatus({ input: { statusId: status.id } });
    await upTo(live, 'StatusDeleted');
    const second = open({ after });
    const whileLive = await upTo(second, 'StatusDeleted');
    live.close();
    second.close();
    world.app.serving.channels.close(); // what is kept is gone
    const read = open({ after });
    const fromLog = await upTo(read, 'StatusDeleted');
    read.close();
    for (const events of [whileLive, fromLog])
      assert.deepEqual(events, [
        { __typename: 'ChatAdded', streamId: bob.id, chat: null },
        { __typename: 'StatusPosted', streamId: bob.id, status: null },
        { __typename: 'ChatRemoved', streamId: bob.id },
        { __typename: 'StatusDeleted', streamId: bob.id },
      ]);
  });

  it('a stream whose history can’t be continued says why, and ends', async () => {
    const chatId = await world.groupChat(ann, [bob]);
    const stream = streamOf(chatId);
    const reason = async (after: string) => {
      const { events, code } = await toTheEnd(bob.client.chatEvents(chatId, after));
      assert.equal(code, 'complete');
      return events.map((event) => (event.__typename === 'ResyncRequired' ? event.reason : event.__typename));
    };
    const first = await cursorOf(bob, chatId);
    const [{ epoch }] = (await world.sql<{ epoch: string }>('select epoch from streams where id = $1', [stream])) as [{ epoch: string }];
    await world.say(ann, chatId, 'one');
    await world.say(ann, chatId, 'two');
    assert.deepEqual(await reason(encodeCursor(stream, epoch, 1_000)), ['AHEAD']);
    assert.deepEqual(await reason(encodeCursor(stream, '00000000-0000-4000-8000-000000000000', 3)), ['EPOCH_CHANGED']);
    // Dropped partitions.
    await world.sql('delete from events where stream = $1 and pos <= (select head - 1 from streams where id = $1)', [stream]);
    world.app.serving.channels.close();
    assert.deepEqual(await reason(first), ['EXPIRED']);
    // Too far behind.
    await world.sql(`insert into events (stream, pos, kind, ref) select $1, head + n, 'chat.updated', '{}' from streams, generate_series(1, 10001) n where id = $1`, [stream]);
    const beforeMany = await cursorOf(bob, chatId);
    await world.sql('update streams set head = head + 10001 where id = $1', [stream]);
    world.app.serving.channels.close();
    assert.deepEqual(await reason(beforeMany), ['TOO_FAR_BEHIND']);
    // A restore: everybody who listens is told, in the chat and in the inbox.
    const live = bob.client.chatEvents(chatId, await cursorOf(bob, chatId));
    const inbox = bob.client.inboxEvents([await cursorOf(bob, chatId)]);
    await take(inbox, 1, []); // the checkpoint of the other streams
    await world.say(ann, chatId, 'so that it stands');
    await take(live, 1);
    await take(inbox, 1);
    await world.sql('update streams set epoch = gen_random_uuid(), head = head - 1 where id = $1', [stream]);
    const { events, code } = await toTheEnd(live);
    assert.deepEqual([names(events), code], [['ResyncRequired'], 'complete']);
    const [told] = await take(inbox, 1);
    assert.deepEqual(told!.__typename === 'ResyncRequired' && [told!.reason, told!.streamId], ['EPOCH_CHANGED', chatId]);
    // From the new state on, everything works as before.
    const fresh = bob.client.chatEvents(chatId, await cursorOf(bob, chatId));
    await world.say(ann, chatId, 'after the restore').catch(() => undefined);
    fresh.close();
    inbox.close();
  }).timeout(30_000);

  it('forged, foreign and malformed cursors are refused by their codes', async () => {
    const chatId = await world.groupChat(ann, [bob]);
    const other = await world.groupChat(ann, [carol]);
    const epoch = '00000000-0000-4000-8000-000000000000';
    const chatEnd = async (after: string | null, id = chatId) => (await toTheEnd(bob.client.chatEvents(id, after))).code;
    const inboxEnd = async (after: string[]) => (await toTheEnd(bob.client.inboxEvents(after))).code;
    const forgedForOther = encodeCursor(streamOf(other), epoch, 1);
    assert.equal(await chatEnd('nonsense'), 'INVALID_CURSOR');
    assert.equal(await chatEnd(''), 'INVALID_CURSOR');
    assert.equal(await chatEnd(Buffer.from('chat:x|y|z').toString('base64url')), 'INVALID_CURSOR');
    assert.equal(await chatEnd(await cursorOf(carol, other)), 'INVALID_CURSOR');
    assert.equal(await chatEnd(encodeCursor(userStream(decodeId('User', bob.id)), epoch, 1)), 'INVALID_CURSOR');
    assert.equal(await chatEnd(null, other), 'NOT_FOUND');
    assert.equal(await chatEnd(forgedForOther, other), 'NOT_FOUND');
    assert.equal(await chatEnd(null, 'cht_00000000000000000000000000000000'), 'NOT_FOUND');
    assert.equal(await chatEnd(null, ann.id), 'INVALID_ID');
    assert.equal(await inboxEnd([encodeCursor(userStream(decodeId('User', ann.id)), epoch, 1)]), 'INVALID_CURSOR');
    assert.equal(await inboxEnd(['nonsense']), 'INVALID_CURSOR');
    assert.equal(await inboxEnd([...Array(5_001)].map(() => forgedForOther)), 'INVALID_INPUT');
    assert.equal((await toTheEnd(world.client().chatEvents(chatId))).code, 'UNAUTHENTICATED');
    // A cursor of a chat that the viewer is not in brings nothing of it.
    const inbox = bob.client.inboxEvents([forgedForOther]);
    await take(inbox, 1, []);
    await world.say(ann, other, 'not for Bob');
    await world.say(ann, chatId, 'for Bob');
    const [event] = await take(inbox, 1);
    assert.equal(event!.__typename === 'MessageSent' && event!.message?.text, 'for Bob');
    inbox.close();
  });

  it('a sign-out closes the connection by 4401, an expired token by 4403, and nothing follows', async () => {
    const chatId = await world.groupChat(ann, [bob]);
    const connect = (token: string) => {
      const socket = new WebSocket(`${world.app.url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws');
      const heard: string[] = [];
      socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } })));
      socket.on('message', (data: Buffer) => {
        const text = data.toString();
        heard.push(text);
        if (text.includes('connection_ack')) socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: `subscription { chatEvents(chatId: "${chatId}") { ... on MessageSent { message { text } } } }` } }));
      });
      const closed = new Promise<[number, string]>((resolve) => socket.on('close', (code, reason) => resolve([code, reason.toString()])));
      return { heard, closed };
    };
    const stands = (heard: string[]) => eventually(async () => (await world.say(ann, chatId, 'hello'), heard.some((text) => text.includes('hello'))), 'the subscription stands');
    const { signIn } = await world.client().api.signIn({ input: { email: 'bob@example.com', password: 'password of bob' } });
    const signedOut = connect(signIn.accessToken);
    await stands(signedOut.heard);
    const client = world.client(signIn.accessToken);
    await client.api.signOut({ input: {} });
    await world.say(ann, chatId, 'after the sign-out');
    assert.deepEqual(await within(signedOut.closed, 'the close'), [4401, 'SESSION_ENDED']);
    assert.ok(!signedOut.heard.some((text) => text.includes('after the sign-out')));
    assert.deepEqual(await within(connect(signIn.accessToken).closed, 'the close'), [4401, 'SESSION_ENDED']);

    const { signIn: short } = await world.client().api.signIn({ input: { email: 'bob@example.com', password: 'password of bob' } });
    world.clock.advance((world.config.ACCESS_TOKEN_TTL - 2) * 1000);
    const expiring = connect(short.accessToken);
    await stands(expiring.heard).catch(() => undefined);
    assert.deepEqual(await within(expiring.closed, 'the close'), [4403, 'TOKEN_EXPIRED']);
    assert.deepEqual(await within(connect(short.accessToken).closed, 'the close'), [4403, 'TOKEN_EXPIRED']);
  });

  it('leaves nothing behind: channels, attachments and groups go with their subscribers', async () => {
    const { serving } = world.app;
    await eventually(() => [...serving.channels.attachments()].length === 0, 'all attachments are gone');
    await eventually(() => serving.subscriptions.groups === 0, 'all groups are gone');
  });
});
