import assert from 'node:assert/strict';
import type { EventStream, InboxEvent } from '../../sdk/index.js';
import { befriend, feedOf } from '../testkit/statuses.js';
import { PIXEL } from '../testkit/pictures.js';
import { take, World, type Person } from '../testkit/world.js';

/** The next event of a kind; others come in between. */
async function next<Name extends InboxEvent['__typename']>(stream: EventStream<InboxEvent>, name: Name): Promise<Extract<InboxEvent, { __typename: Name }>> {
  for (;;) {
    const [event] = await take(stream, 1);
    if (event!.__typename === name) return event as Extract<InboxEvent, { __typename: Name }>;
  }
}

/** A day of two people, as their apps see it: each hears of what the other does by one subscription, and asks for nothing that it has heard. */
describe('every day: two people send pictures, show statuses, look, and answer', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  before(async () => {
    world = await World.start({ nodes: 2 });
    [ann, bob] = [await world.person('Ann', 0), await world.person('Bob', 1)];
  });
  after(() => world.stop());

  it('from becoming contacts to the picture that stays in the chat when the status is taken back', async () => {
    await befriend(ann, bob);
    const [annHears, bobHears] = [ann.client.inboxEvents(), bob.client.inboxEvents()];
    await Promise.all([annHears, bobHears].map((stream) => take(stream, 1, [])));

    // Ann sends a picture with words; the chat is made for it.
    const file = await world.upload(ann, PIXEL, { name: 'lake.png', contentType: 'image/png' });
    assert.equal(file.state, 'READY');
    const chatId = await world.directChat(ann, bob);
    await ann.api.sendMessage({ input: { chatId, text: 'Where we are', attachmentIds: [file.id!], idempotencyKey: world.key() } });
    const arrived = await next(bobHears, 'MessageSent');
    const [attached] = arrived.message!.attachments;
    assert.deepEqual([arrived.message!.text, attached!.file.kind], ['Where we are', 'IMAGE']);
    assert.deepEqual(Buffer.from(await (await fetch(attached!.file.url!)).arrayBuffer()), PIXEL);

    // She shows it as her status, too. Bob hears of it, opens it, likes it.
    const { status } = (await ann.api.postStatus({ input: { fileId: file.id!, text: 'The lake', idempotencyKey: world.key() } })).postStatus;
    const posted = await next(bobHears, 'StatusPosted');
    assert.deepEqual([posted.status?.file?.id, posted.status?.text], [file.id, 'The lake']);
    assert.deepEqual((await feedOf(bob)).map(({ user, unseen }) => [user.id, unseen]), [[ann.id, 1]]);
    await bob.api.viewStatus({ input: { statusId: status.id } });
    await bob.api.reactToStatus({ input: { statusId: status.id, emoji: '😍' } });
    assert.deepEqual((await feedOf(bob)).map(({ unseen }) => unseen), [0]);
    let seen = await next(annHears, 'StatusViewed');
    while (!seen.insights!.reactionCount) seen = await next(annHears, 'StatusViewed');
    assert.deepEqual(seen.insights!.viewers.edges.map(({ node }) => [node.user.id, node.reaction]), [[bob.id, '😍']]);

    // He answers it: the answer stands in the chat that they have, with the status beside it.
    const { message: answer } = (await bob.api.replyToStatus({ input: { statusId: status.id, text: 'Save me a place!', idempotencyKey: world.key() } })).replyToStatus;
    assert.equal(answer.chat.id, chatId);
    let heard = await next(annHears, 'MessageSent');
    if (heard.messageId !== answer.id) heard = await next(annHears, 'MessageSent'); // the first was her own
    assert.ok(heard.messageId === answer.id && heard.message?.card?.__typename === 'StatusCard' && heard.message.card.statusId === status.id);

    // Ann keeps it in a highlight, changes her mind, and takes it back: the message keeps the picture.
    await ann.api.createHighlight({ input: { title: 'Lakes', statusIds: [status.id], idempotencyKey: world.key() } });
    assert.deepEqual((await bob.api.userHighlights({ userId: ann.id })).user!.viewerState!.highlights.edges.map(({ node }) => [node.title, node.cover?.file?.id]), [['Lakes', file.id]]);
    await ann.api.deleteStatus({ input: { statusId: status.id } });
    assert.equal((await next(bobHears, 'StatusDeleted')).statusId, status.id);
    assert.deepEqual([await feedOf(bob), (await bob.api.userHighlights({ userId: ann.id })).user!.viewerState!.highlights.edges], [[], []]);
    const history = (await bob.api.chatMessages({ id: chatId, last: 10 })).chat!.messages.edges.map(({ node }) => node);
    assert.deepEqual(history.map(({ text }) => text), ['Where we are', 'Save me a place!']);
    assert.equal((await fetch(history[0]!.attachments[0]!.file.url!)).status, 200);
    for (const stream of [annHears, bobHears]) stream.close();
  });
});
