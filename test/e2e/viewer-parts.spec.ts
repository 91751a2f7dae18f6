import assert from 'node:assert/strict';
import { eventually, World, type Person } from '../testkit/world.js';
import type { EventStream } from '../../sdk/index.js';

interface Heard {
  chatEvents: { __typename: string; message: { text: string; viewerState: { reactions: string[]; starred: boolean; senderBlocked: boolean } | null; chat: { viewerState: { role: string } } } };
}

const DOCUMENT = `subscription ($chatId: ID!) {
  chatEvents(chatId: $chatId) {
    __typename
    ... on MessageSent { message { ...parts } }
    ... on ReactionsChanged { message { ...parts } }
  }
}
fragment parts on Message { text viewerState { reactions starred senderBlocked } chat { viewerState { role } } }`;

describe('subscriptions that depend on the viewer in parts', () => {
  let world: World;
  let ann: Person;
  let others: Person[];
  let chatId: string;
  before(async () => {
    world = await World.start();
    ann = await world.person('Ann');
    others = await Promise.all(['Bob', 'Cay', 'Dan', 'Eve'].map((name) => world.person(name)));
    chatId = await world.groupChat(ann, others);
  });
  after(() => world.stop());

  it('tell each viewer their own, and ask the database once for all', async () => {
    const everybody = [ann, ...others];
    const streams = everybody.map((person) => person.client.subscribe<Heard, { chatId: string }>(DOCUMENT, { chatId }));
    await eventually(() => world.app.serving.subscriptions.groups === everybody.length, 'all have subscribed');
    const { id } = await world.say(ann, chatId, 'hello');
    const next = (stream: EventStream<Heard>) => stream.next().then((result) => (result.value as Heard).chatEvents);
    for (const [index, event] of (await Promise.all(streams.map(next))).entries()) {
      assert.deepEqual(event.message, {
        text: 'hello',
        viewerState: { reactions: [], starred: false, senderBlocked: false },
        chat: { viewerState: { role: index === 0 ? 'OWNER' : 'MEMBER' } },
      });
    }
    await others[1]!.api.starMessage({ input: { messageId: id } });
    const before = world.app.container.db.statements;
    await others[0]!.api.addReaction({ input: { messageId: id, emoji: '👍' } });
    const heard = await Promise.all(streams.map(next));
    const statements = world.app.container.db.statements - before;
    assert.deepEqual(heard.map((event) => event.message.viewerState), everybody.map((_, index) => ({ reactions: index === 1 ? ['👍'] : [], starred: index === 2, senderBlocked: false })));
    // One for the message, its chat, the marks and the memberships of all five, and what the mutation itself reads.
    assert.ok(statements < 12, `${statements} statements`);
    for (const stream of streams) stream.close();
  });

  it('give what a query gives', async () => {
    const stream = others[0]!.client.subscribe<Heard, { chatId: string }>(DOCUMENT, { chatId });
    await eventually(() => world.app.serving.subscriptions.groups === 1, 'the subscription stands');
    const { id } = await world.say(ann, chatId, 'again');
    const { chatEvents } = (await stream.next()).value as Heard;
    const { node } = await others[0]!.client.request<{ node: unknown }, { id: string }>(
      'query ($id: ID!) { node(id: $id) { ... on Message { text viewerState { reactions starred senderBlocked } chat { viewerState { role } } } } }',
      { id },
    );
    assert.deepEqual(chatEvents.message, node);
    stream.close();
  });
});
