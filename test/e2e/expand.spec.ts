import assert from 'node:assert/strict';
import { checkOut, fillCart, openShop, sell } from '../testkit/commerce.js';
import { PIXEL } from '../testkit/pictures.js';
import { befriend } from '../testkit/statuses.js';
import { eventually, take, World } from '../testkit/world.js';

/** The rule of docs/OPERATIONS.md: a release expands the schema, and servers of the one before go on as if nothing were there. */
describe('a server on a schema that is ahead of it', function () {
  this.timeout(60_000);
  let world: World;
  before(async () => {
    world = await World.start();
  });
  after(() => world.stop());

  it('goes on while every table gets columns, and another of the same release starts beside it', async () => {
    const [ann, bob] = await world.people('Ann', 'Bob');
    await befriend(ann, bob);
    const chatId = await world.directChat(ann, bob);
    const stream = bob.client.chatEvents(chatId, (await bob.api.chat({ id: chatId })).chat!.eventCursor);
    await world.say(ann, chatId, 'before');
    // As migrations of the next release would: columns that may be null and columns with a default in every table, a table, an index, and their rows among the migrations.
    const tables = await world.sql<{ name: string }>(`select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition and relname <> 'migrations' order by 1`);
    for (const { name } of tables) await world.sql(`alter table "${name}" add column next_note text, add column next_count int not null default 7`);
    await world.sql('create table next_things (id uuid primary key, user_id uuid references users on delete cascade)');
    await world.sql('create index next_index on messages (chat_id, next_count)');
    await world.sql(`insert into migrations (timestamp, name) values (9999999999999, 'Next9999999999999')`);
    await world.say(ann, chatId, 'between');
    assert.deepEqual((await take(stream, 2)).map((event) => event.__typename === 'MessageSent' && event.message?.text), ['before', 'between']);
    stream.close();

    const another = world.apps.length;
    await world.addNode();
    const there = world.client(ann.accessToken, another).api;
    const { message } = (await there.sendMessage({ input: { chatId, text: 'by the new process', idempotencyKey: world.key() } })).sendMessage;
    await there.editMessage({ input: { messageId: message.id, text: 'edited' } });
    await bob.api.addReaction({ input: { messageId: message.id, emoji: '👍' } });
    const file = await world.upload(ann, PIXEL, { contentType: 'image/png' });
    await ann.api.sendMessage({ input: { chatId, text: 'a file', attachments: [{ fileId: file.id! }], idempotencyKey: world.key() } });
    await ann.api.postStatus({ input: { text: 'A status', idempotencyKey: world.key() } });
    await ann.api.createGroup({ input: { name: 'A group', visibility: 'PUBLIC', joinPolicy: 'OPEN', idempotencyKey: world.key() } });
    const shop = await openShop(world, ann);
    const bought = await checkOut(world, bob, await fillCart(world, bob, shop, [[await sell(world, shop, 'Tea'), 1]]));
    assert.equal(bought.__typename, 'CheckoutCompleted');
    await world.app.container.jobs.analytics.run();
    const { dataExport } = (await bob.api.requestDataExport({ input: { idempotencyKey: world.key() } })).requestDataExport;
    await eventually(async () => (await bob.api.dataExport({ id: dataExport.id })).dataExport!.state === 'READY', 'a copy of data is made', 20_000);
    const person = await world.person('Carol', another);
    assert.equal((await person.api.viewer()).viewer!.user.handle, 'carol');
  });
});
