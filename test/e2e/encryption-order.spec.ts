import assert from 'node:assert/strict';
import { anotherDevice, encryptedChat, MlsDevice } from '../testkit/mls-device.js';
import { World, type Person } from '../testkit/world.js';

const texts = (said: { text: string | null }[]) => said.map(({ text }) => text);

/** What a network may do to a device: it gets things in another order than they were sent. */
describe('history of an encrypted chat out of order', function () {
  this.timeout(30_000);
  let world: World;
  let bob: Person;
  let annPhone: MlsDevice;
  let annTablet: MlsDevice;
  let bobPhone: MlsDevice;
  before(async () => {
    world = await World.start();
  });
  after(() => world.stop());
  beforeEach(async () => {
    const n = world.key().replace('-', '');
    const ann = await world.person(`Ann${n}`);
    bob = await world.person(`Bob${n}`);
    annPhone = await MlsDevice.of(world, ann);
    annTablet = await MlsDevice.of(world, await anotherDevice(world, ann, 'tablet'));
    bobPhone = await MlsDevice.of(world, bob);
  });

  /** As the server has them. */
  const contentOf = async (chatId: string, seq: number) => (await bob.api.encryptedMessages({ chatId, last: 10 })).chat!.messages.edges.find(({ node }) => node.seq === seq)!.node.encrypted!.content;
  const commitsFrom = async (chatId: string, fromEpoch: number) => (await bob.api.mlsCommits({ chatId, fromEpoch })).chat!.mls!.commits.edges.map(({ node }) => node.content);

  it('messages of an epoch in any order; and a device that was away reads all of it', async () => {
    const chatId = await encryptedChat(annPhone, [bob]);
    for (const device of [bobPhone, annTablet]) await device.catchUp(chatId);
    for (const text of ['one', 'two', 'three', 'four']) await annPhone.say(chatId, text);
    const { messages } = (await bob.api.encryptedMessages({ chatId, last: 10 })).chat!;
    const backwards: (string | null)[] = [];
    for (const { node } of messages.edges.toReversed()) backwards.push(await bobPhone.decrypt(chatId, node.encrypted!.content));
    assert.deepEqual(backwards, ['four', 'three', 'two', 'one']);
    for (let epoch = 0; epoch < 6; epoch++) {
      await annPhone.change(chatId, [], []);
      await annPhone.say(chatId, `in epoch ${annPhone.epoch(chatId)}`);
    }
    // More epochs than ts-mls keeps keys of past ones for.
    const said = texts(await annTablet.read(chatId));
    assert.deepEqual(said.slice(0, 4), ['one', 'two', 'three', 'four']);
    assert.equal(said.length, 10);
    assert.ok(said.every((text) => text !== null));
    assert.equal(annTablet.epoch(chatId), annPhone.epoch(chatId));
  });

  it('a message that comes before the commit of its epoch can’t be read, and can once that has come', async () => {
    const chatId = await encryptedChat(annPhone, [bob]);
    await bobPhone.catchUp(chatId);
    const epoch = bobPhone.epoch(chatId);
    await annPhone.change(chatId, [], []);
    const content = await contentOf(chatId, (await annPhone.say(chatId, 'in the next epoch')).seq);
    assert.equal(await bobPhone.decrypt(chatId, content), null);
    assert.equal(bobPhone.epoch(chatId), epoch);
    const commits = await commitsFrom(chatId, epoch);
    assert.equal(commits.length, 1);
    await bobPhone.apply(chatId, commits[0]!);
    assert.equal(await bobPhone.decrypt(chatId, content), 'in the next epoch');
    // Once: who has read it holds its key no more.
    assert.equal(await bobPhone.decrypt(chatId, content), null);
  });

  it('commits that change places: the later is refused and spoils nothing, then both are taken in order', async () => {
    const chatId = await encryptedChat(annPhone, [bob]);
    await bobPhone.catchUp(chatId);
    const epoch = bobPhone.epoch(chatId);
    await annPhone.change(chatId, [], []);
    const between = await contentOf(chatId, (await annPhone.say(chatId, 'between them')).seq);
    await annPhone.change(chatId, [], []);
    const behind = await contentOf(chatId, (await annPhone.say(chatId, 'behind both')).seq);
    const [first, second, ...more] = await commitsFrom(chatId, epoch);
    assert.deepEqual(more, []);
    await assert.rejects(bobPhone.apply(chatId, second!));
    assert.equal(bobPhone.epoch(chatId), epoch);
    await bobPhone.apply(chatId, first!);
    // A repeat is refused as well.
    await assert.rejects(bobPhone.apply(chatId, first!));
    await bobPhone.apply(chatId, second!);
    assert.equal(bobPhone.epoch(chatId), annPhone.epoch(chatId));
    for (const [content, text] of [[behind, 'behind both'], [between, 'between them']] as const) assert.equal(await bobPhone.decrypt(chatId, content), text);
    await bobPhone.say(chatId, 'heard');
    assert.deepEqual(texts(await annPhone.read(chatId)), ['heard']);
  });
});
