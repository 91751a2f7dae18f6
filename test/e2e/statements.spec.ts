import assert from 'node:assert/strict';
import { World, type Person } from '../testkit/world.js';

/** Everything that a client can ask of a page of messages. */
const PAGE = `query ($id: ID!, $last: Int) {
  chat(id: $id) {
    messages(last: $last) {
      edges {
        node {
          id seq version kind text createdAt editedAt
          chat { id title }
          sender { id displayName }
          mentions { id handle }
          attachments { file { id url thumbnailUrl } }
          reactions { emoji count users(first: 2) { edges { node { id } } } }
          replyTo { id state message { id text sender { id } reactions { emoji } } }
          thread { count lastReplyAt participants { id } messages(first: 2) { edges { node { id text sender { id } viewerState { starred } } } } }
          forwardedFrom { sentAt sender { id } chat { id } message { id text } }
          edits(first: 2) { edges { node { version text } } }
          card {
            ... on PollCard { question voterCount closed viewerState { votes } options { index text voteCount voters(first: 2) { edges { node { id } } } } }
            ... on LocationCard { latitude longitude }
          }
          viewerState { reactions starred deletedForViewer mentioned senderBlocked }
        }
      }
    }
  }
}`;

const RENDERED = `query ($id: ID!, $last: Int) { chat(id: $id) { messages(last: $last) { edges { node { id text sender { displayName } reactions { emoji count } replyTo { state message { text } } } } } } }`;

describe('a page of messages costs a constant number of SQL statements', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let chatId: string;

  before(async function () {
    this.timeout(60_000);
    world = await World.start({ settings: { RECONCILE: '60', MAX_QUERY_COST: '50000' } });
    let carol: Person;
    [ann, bob, carol] = await world.people('Ann', 'Bob', 'Carol');
    chatId = await world.groupChat(ann, [bob, carol]);
    const elsewhere = await world.groupChat(bob, [ann]);
    const origin = await world.say(bob, elsewhere, 'from elsewhere');
    const send = async (person: Person, input: object) => (await person.api.sendMessage({ input: { chatId, idempotencyKey: world.key(), ...input } })).sendMessage.message;
    const old = await send(carol, { text: 'said long ago' });
    await send(bob, { text: 'what no page below holds' });
    for (let round = 0; round < 10; round++) {
      const named = await send(bob, { text: `hello @ann and @carol, ${round}` });
      for (const [person, emoji] of [[ann, '👍'], [bob, '👍'], [carol, '❤️']] as const) await person.api.addReaction({ input: { messageId: named.id, emoji } });
      await send(carol, { text: 'a reply', replyToId: round % 2 ? named.id : old.id });
      const root = await send(ann, { text: 'a root' });
      for (const person of [bob, carol, bob]) await send(person, { text: 'an answer', threadRootId: root.id });
      await ann.api.editMessage({ input: { messageId: root.id, text: 'an edited root' } });
      await ann.api.starMessage({ input: { messageId: root.id } });
      const poll = await send(carol, { poll: { question: 'Well?', options: ['yes', 'no'], multiple: true } });
      for (const person of [ann, bob]) await person.api.votePoll({ input: { messageId: poll.id, optionIndexes: [0, 1] } });
      await bob.api.forwardMessages({ input: { messageIds: [origin.id], chatIds: [chatId], idempotencyKey: world.key() } });
    }
  });
  after(() => world.stop());

  /** The least of some runs: what the server does by itself in between can only add. */
  async function statements(query: string, last: number): Promise<number> {
    const counts: number[] = [];
    for (let run = 0; run < 6; run++) {
      const before = world.app.container.db.statements;
      const result = await ann.client.request<{ chat: { messages: { edges: unknown[] } } }, { id: string; last: number }>(query, { id: chatId, last });
      counts.push(world.app.container.db.statements - before);
      assert.equal(result.chat.messages.edges.length, last);
    }
    return Math.min(...counts);
  }

  it('with senders, reactions and reply targets', async () => {
    assert.deepEqual([await statements(RENDERED, 10), await statements(RENDERED, 50)], [3, 3]);
  });

  it('with everything that can be asked of a message', async () => {
    const [ten, fifty] = [await statements(PAGE, 10), await statements(PAGE, 50)];
    assert.deepEqual([ten, fifty], [ten, ten]);
    assert.equal(ten, 14);
  });
});
