import assert from 'node:assert/strict';
import { fromBase64 } from '../../sdk/bytes.js';
import { digest } from '../testkit/digest.js';
import { devicesOf, devicesTold, encryptedChat, MlsDevice } from '../testkit/mls-device.js';
import { fails, take, World, type Person } from '../testkit/world.js';

describe('key packages of encrypted chats', function () {
  this.timeout(30_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  let annPhone: MlsDevice;
  before(async () => {
    world = await World.start();
  });
  after(() => world.stop());
  beforeEach(async () => {
    const n = world.key().replace('-', '');
    ann = await world.person(`Ann${n}`);
    bob = await world.person(`Bob${n}`);
    annPhone = await MlsDevice.of(world, ann);
  });

  it('key packages are claimed once each, and again by the one who has not used them; the last resort stays', async () => {
    const dave = await world.person(`Dave${world.key().replace('-', '')}`);
    const davePhone = await MlsDevice.unregistered(world, dave);
    const made = await davePhone.packages(4);
    await dave.api.registerDevice({ input: { keyPackages: made.slice(0, 3), lastResortKeyPackage: made[3]! } });
    assert.equal((await dave.api.myDevice()).viewer!.keyPackagesLeft, 3);
    const stream = dave.client.inboxEvents();
    const chats: string[] = [];
    for (let n = 0; n < 5; n++) chats.push((await ann.api.createChat({ input: { kind: 'GROUP', encryption: 'MLS', memberIds: [dave.id, bob.id], idempotencyKey: world.key() } })).createChat.chat.id);
    const claim = async (device: MlsDevice, chatId: string) => (await device.api.claimKeyPackages({ input: { chatId, deviceIds: [davePhone.id] } })).claimKeyPackages.keyPackages;
    const given = await Promise.all(chats.map((chatId) => claim(annPhone, chatId)));
    assert.deepEqual(given.flat().filter(({ lastResort }) => !lastResort).map(({ content }) => content).sort(), made.slice(0, 3).sort());
    assert.deepEqual(given.flat().filter(({ lastResort }) => lastResort).map(({ content }) => content), [made[3], made[3]]);
    assert.equal((await dave.api.myDevice()).viewer!.keyPackagesLeft, 0);
    assert.deepEqual(await Promise.all(chats.map((chatId) => claim(annPhone, chatId))), given);
    // Five were taken, and the last resort twice more.
    const low = await take(stream, 7, ['InboxCheckpoint', 'ChatAdded', 'MemberJoined', 'ReceiptsChanged', 'ViewerReceiptChanged']);
    assert.deepEqual(low.map((event) => [event.__typename, 'deviceId' in event && event.deviceId]), Array(7).fill(['KeyPackagesLow', davePhone.id]));
    stream.close();
    // By the last resort one comes in as well as by any.
    const [resort] = chats.filter((_, index) => given[index]![0]!.lastResort);
    await annPhone.found(resort!);
    await annPhone.settle(resort!);
    await davePhone.catchUp(resort!);
    await annPhone.say(resort!, 'welcome, Dave');
    assert.deepEqual((await davePhone.read(resort!)).map(({ text }) => text), ['welcome, Dave']);
    // The packages of a chat are no other's, and are for its members' devices alone.
    const stranger = await MlsDevice.of(world, await world.person(`Eve${world.key().replace('-', '')}`));
    await fails(claim(stranger, chats[0]!), 'NOT_FOUND');
    await fails(annPhone.api.claimKeyPackages({ input: { chatId: chats[0]!, deviceIds: [stranger.id] } }), 'NOT_FOUND', 'deviceIds');
  });

  it('a device without key packages is let in when it has some again', async () => {
    const dave = await world.person(`Dave${world.key().replace('-', '')}`);
    const davePhone = await MlsDevice.of(world, dave, 1);
    await encryptedChat(annPhone, [dave]);
    const chatId = await encryptedChat(annPhone, [dave]);
    assert.equal((await devicesOf(annPhone, chatId))[davePhone.id], 'MISSING');
    await devicesTold(world);
    const [line] = (await ann.api.viewerChats({ first: 1 })).viewer!.chats.edges;
    const stream = ann.client.chatEvents(chatId, line!.node.eventCursor);
    await dave.api.uploadKeyPackages({ input: { keyPackages: await davePhone.packages(2) } });
    assert.deepEqual((await take(stream, 1)).map(({ __typename }) => __typename), ['EncryptionChanged']);
    stream.close();
    await annPhone.settle(chatId);
    await davePhone.catchUp(chatId);
    await davePhone.say(chatId, 'at last');
    assert.deepEqual((await annPhone.read(chatId)).map(({ text }) => text), ['at last']);
  });

  it('nobody registers under another’s name or key, nor what has run out', async () => {
    const dave = await world.person(`Dave${world.key().replace('-', '')}`);
    const davePhone = await MlsDevice.unregistered(world, dave);
    const before = await digest(world);
    const register = (keyPackages: string[]) => dave.api.registerDevice({ input: { keyPackages } });
    await fails(register(await annPhone.packages(1)), 'INVALID_INPUT', 'keyPackages');
    await fails(register(await davePhone.packages(1, `${ann.id}/${davePhone.id}`)), 'INVALID_INPUT', 'keyPackages');
    const [good] = await davePhone.packages(1);
    const bent = Buffer.from(fromBase64(good!));
    bent[bent.length - 1] = bent[bent.length - 1]! ^ 1;
    await fails(register([bent.toString('base64')]), 'INVALID_INPUT', 'keyPackages');
    await fails(register([]), 'INVALID_INPUT', 'keyPackages');
    const another = await MlsDevice.unregistered(world, dave);
    await fails(register([good!, (await another.packages(1))[0]!]), 'INVALID_INPUT', 'keyPackages');
    await fails(dave.api.uploadKeyPackages({ input: { keyPackages: [good!] } }), 'NOT_FOUND');
    assert.deepEqual(await digest(world), before);
    const { device } = (await register([good!])).registerDevice;
    assert.deepEqual([device.id, device.user.id, device.name, device.signatureKey], [davePhone.id, dave.id, 'test', Buffer.from(davePhone.signatureKey).toString('base64')]);
    await fails(register(await another.packages(1)), 'STATE_CONFLICT', 'keyPackages');
    await fails(dave.api.uploadKeyPackages({ input: { keyPackages: Array<string>(101).fill(good!) } }), 'INVALID_INPUT', 'keyPackages');
  });
});
