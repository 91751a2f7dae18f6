import assert from 'node:assert/strict';
import { safetyNumber } from '../../sdk/index.js';
import { fromBase64 } from '../../sdk/bytes.js';
import { digest } from '../testkit/digest.js';
import { anotherDevice, devicesOf, devicesTold, encryptedChat, MlsDevice } from '../testkit/mls-device.js';
import { fails, take, World, type Person } from '../testkit/world.js';

const texts = (said: { text: string | null }[]) => said.map(({ text }) => text);

describe('encrypted chats', function () {
  this.timeout(30_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  let annPhone: MlsDevice;
  let annTablet: MlsDevice;
  let bobPhone: MlsDevice;
  before(async () => {
    world = await World.start({ nodes: 2 });
  });
  after(() => world.stop());
  beforeEach(async () => {
    const n = world.key().replace('-', '');
    ann = await world.person(`Ann${n}`, 0);
    bob = await world.person(`Bob${n}`, 1);
    annPhone = await MlsDevice.of(world, ann);
    annTablet = await MlsDevice.of(world, await anotherDevice(world, ann, 'tablet'));
    bobPhone = await MlsDevice.of(world, bob);
  });

  const messageOf = async (chatId: string, seq: number) => (await bob.api.encryptedMessages({ chatId, last: 10 })).chat!.messages.edges.find(({ node }) => node.seq === seq)!.node;
  const send = (device: MlsDevice, chatId: string, content: string, more: object = {}) => device.api.sendEncryptedMessage({ input: { chatId, content, idempotencyKey: world.key(), ...more } });

  it('two people and three devices read each other, whichever of the processes they speak to', async () => {
    const chatId = await encryptedChat(annPhone, [bob], 'DIRECT');
    await annTablet.catchUp(chatId);
    await bobPhone.catchUp(chatId);
    for (const device of [annPhone, annTablet, bobPhone]) assert.deepEqual(device.members(chatId), [annPhone.id, annTablet.id, bobPhone.id].sort());
    await annPhone.say(chatId, 'from Ann’s phone');
    await bobPhone.say(chatId, 'from Bob’s');
    await annTablet.say(chatId, 'from Ann’s tablet');
    assert.deepEqual(texts(await bobPhone.read(chatId)), ['from Ann’s phone', 'from Ann’s tablet']);
    assert.deepEqual(texts(await annTablet.read(chatId)), ['from Ann’s phone', 'from Bob’s']);
    assert.deepEqual(texts(await annPhone.read(chatId)), ['from Bob’s', 'from Ann’s tablet']);
    const { messages } = (await bob.api.encryptedMessages({ chatId, last: 10 })).chat!;
    assert.deepEqual(messages.edges.map(({ node }) => [node.kind, node.text, node.encrypted!.deviceId]), [annPhone, bobPhone, annTablet].map(({ id }) => ['ENCRYPTED', null, id]));
    assert.deepEqual((await bob.api.viewerChats({ first: 10 })).viewer!.chats.edges.map(({ node }) => [node.id, node.viewerState!.unreadCount]), [[chatId, 2]]);
  });

  it('a welcome that was not used shows nothing of a chat to who is in it no more', async () => {
    const chatId = await encryptedChat(annPhone, [bob]);
    const waiting = async () => (await bobPhone.api.welcomes()).viewer!.welcomes.edges.map(({ node }) => node.chat!.id);
    assert.deepEqual(await waiting(), [chatId]);
    await ann.api.removeChatMember({ input: { chatId, userId: bob.id } });
    assert.deepEqual(await waiting(), []);
  });

  it('an event brings what was said, and a commit, as it happens and after a resume', async () => {
    const chatId = await encryptedChat(annPhone, [bob]);
    await bobPhone.catchUp(chatId);
    const [line] = (await bob.api.viewerChats({ first: 1 })).viewer!.chats.edges;
    const stream = bob.client.chatEvents(chatId, line!.node.eventCursor);
    const first = await annPhone.say(chatId, 'live').then(() => take(stream, 1));
    await annPhone.change(chatId, [], []);
    await annPhone.say(chatId, 'in the next epoch');
    const events = [...first, ...(await take(stream, 2))];
    stream.close();
    assert.deepEqual(events.map(({ __typename }) => __typename), ['MessageSent', 'EncryptionCommitted', 'MessageSent']);
    const said: (string | null)[] = [];
    for (const event of events) {
      if (event.__typename === 'EncryptionCommitted') await bobPhone.apply(chatId, event.commit!.content);
      if (event.__typename === 'MessageSent') said.push(await bobPhone.decrypt(chatId, event.message!.encrypted!.content));
    }
    assert.deepEqual(said, ['live', 'in the next epoch']);
  });

  it('the database holds no word of what was said', async () => {
    const chatId = await encryptedChat(annPhone, [bob]);
    await bobPhone.catchUp(chatId);
    const secret = 'Zwetschgenkuchen um Mitternacht';
    const { id } = await annPhone.say(chatId, secret);
    await bobPhone.say(chatId, `Ja! ${secret}`);
    assert.deepEqual(texts(await bobPhone.read(chatId)), [secret]);
    const tables = await world.sql<{ name: string }>(`select format('%I.%I', table_schema, table_name) as name from information_schema.tables where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`);
    const forms = [secret, Buffer.from(secret).toString('base64').slice(0, -4), Buffer.from(secret).toString('hex'), 'Zwetschgenkuchen'];
    let looked = 0;
    for (const { name } of tables) {
      for (const row of await world.sql<{ row: string }>(`select t::text as row from ${name} t`)) {
        looked++;
        for (const form of forms) assert.ok(!row.row.includes(form), `${name}: ${form}`);
      }
    }
    assert.ok(looked > 100);
    // What is looked for this way is found where it is.
    await world.say(ann, await world.directChat(ann, bob), secret);
    assert.equal((await world.sql('select from messages m where m::text like $1', [`%${secret}%`])).length, 1);
    await ann.api.deleteMessage({ input: { messageId: id, scope: 'FOR_EVERYONE' } });
    const { messages } = (await bob.api.encryptedMessages({ chatId, last: 10 })).chat!;
    assert.deepEqual(messages.edges.map(({ node }) => [node.deletedAt !== null, node.encrypted === null]), [[true, true], [false, false]]);
  });

  it('somebody removed gets nothing more and could not read it; nobody speaks before they are out of the group', async () => {
    const carol = await world.person(`Carol${world.key().replace('-', '')}`);
    const carolPhone = await MlsDevice.of(world, carol);
    const chatId = await encryptedChat(annPhone, [bob, carol]);
    for (const device of [bobPhone, carolPhone, annTablet]) await device.catchUp(chatId);
    await annPhone.say(chatId, 'for all of us');
    assert.deepEqual(texts(await carolPhone.read(chatId)), ['for all of us']);
    await ann.api.removeChatMember({ input: { chatId, userId: carol.id } });
    assert.deepEqual(await devicesOf(bobPhone, chatId), { [annPhone.id]: 'IN_GROUP', [annTablet.id]: 'IN_GROUP', [bobPhone.id]: 'IN_GROUP', [carolPhone.id]: 'GONE' });
    const early = await bobPhone.encrypt(chatId, 'too early');
    await fails(send(bobPhone, chatId, early), 'EPOCH_CONFLICT');
    await fails(send(carolPhone, chatId, await carolPhone.encrypt(chatId, 'let me')), 'NOT_FOUND');
    await bobPhone.settle(chatId);
    assert.deepEqual(bobPhone.members(chatId), [annPhone.id, annTablet.id, bobPhone.id].sort());
    const { seq } = await bobPhone.say(chatId, 'without Carol');
    assert.deepEqual(texts(await annPhone.read(chatId)).at(-1), 'without Carol');
    assert.deepEqual(texts(await annTablet.read(chatId)).at(-1), 'without Carol');
    assert.equal((await carol.api.mlsGroup({ chatId })).chat, null);
    assert.equal((await carol.api.messageBySeq({ chatId, seq })).chat, null);
    // Even with the ciphertext in hand.
    const message = await messageOf(chatId, seq);
    assert.equal(await carolPhone.decrypt(chatId, message.encrypted!.content), null);
    assert.notEqual(await annTablet.decrypt(chatId, await bobPhone.encrypt(chatId, 'as a check')), null);
  });

  it('a device that is lost is taken out by the others, and reads nothing more', async () => {
    const chatId = await encryptedChat(annPhone, [bob]);
    for (const device of [bobPhone, annTablet]) await device.catchUp(chatId);
    await ann.api.signOut({ input: { sessionId: annTablet.person.sessionId } });
    await fails(annTablet.api.myDevice(), 'SESSION_ENDED');
    await devicesTold(world);
    assert.deepEqual(await devicesOf(bobPhone, chatId), { [annPhone.id]: 'IN_GROUP', [bobPhone.id]: 'IN_GROUP', [annTablet.id]: 'GONE' });
    await fails(send(bobPhone, chatId, await bobPhone.encrypt(chatId, 'not yet')), 'EPOCH_CONFLICT');
    await bobPhone.settle(chatId);
    const { seq } = await bobPhone.say(chatId, 'the tablet was stolen');
    assert.deepEqual(texts(await annPhone.read(chatId)), ['the tablet was stolen']);
    const message = await messageOf(chatId, seq);
    assert.equal(await annTablet.decrypt(chatId, message.encrypted!.content), null);
    assert.deepEqual(await world.sql('select from mls_key_packages p join mls_devices d on d.session_id = p.device_id where d.ended_at is not null'), []);
  });

  it('one takes out another device of one’s own, and nobody else’s', async () => {
    const chatId = await encryptedChat(annPhone, [bob]);
    for (const device of [bobPhone, annTablet]) await device.catchUp(chatId);
    const before = await digest(world);
    await fails(bobPhone.change(chatId, [], [annTablet.id]), 'FORBIDDEN', 'removedDeviceIds');
    const { input } = await annPhone.prepare(chatId, [], []);
    await fails(annPhone.api.commitMlsGroup({ input: { chatId, ...input, removedDeviceIds: [annPhone.id] } }), 'FORBIDDEN', 'removedDeviceIds');
    assert.deepEqual(await digest(world), before);
    await annPhone.change(chatId, [], [annTablet.id]);
    assert.deepEqual(await devicesOf(bobPhone, chatId), { [annPhone.id]: 'IN_GROUP', [bobPhone.id]: 'IN_GROUP', [annTablet.id]: 'MISSING' });
  });

  it('a new device comes in by itself, or is let in, and sees nothing from before', async () => {
    const chatId = await encryptedChat(annPhone, [bob]);
    await bobPhone.catchUp(chatId);
    const before = await annPhone.say(chatId, 'from before');
    const bobTablet = await MlsDevice.of(world, await anotherDevice(world, bob, 'tablet'));
    await fails(send(bobTablet, chatId, await annPhone.encrypt(chatId, 'somebody else’s')), 'FORBIDDEN');
    await bobTablet.joinFromOutside(chatId);
    assert.deepEqual((await devicesOf(annPhone, chatId))[bobTablet.id], 'IN_GROUP');
    await annPhone.catchUp(chatId);
    const after = await annPhone.say(chatId, 'from now on');
    assert.deepEqual(await bobTablet.read(chatId), [{ seq: before.seq, text: null }, { seq: after.seq, text: 'from now on' }]);
    await bobTablet.say(chatId, 'here I am');
    assert.deepEqual(texts(await annPhone.read(chatId)), ['here I am']);
    assert.deepEqual(texts(await bobPhone.read(chatId)), ['from before', 'from now on', 'here I am']);
  });

  it('of commits at once one is taken, and the others begin again; in the end all are in one epoch', async () => {
    const chatId = await encryptedChat(annPhone, [bob]);
    const devices = [annPhone, annTablet, bobPhone];
    for (const device of devices) await device.catchUp(chatId);
    const epoch = annPhone.epoch(chatId);
    const outcomes = await Promise.allSettled(devices.map((device) => device.change(chatId, [], [])));
    assert.deepEqual(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'taken' : (outcome.reason as { code: string }).code)).sort(), ['EPOCH_CONFLICT', 'EPOCH_CONFLICT', 'taken']);
    for (const device of devices) assert.equal((await device.catchUp(chatId), device.epoch(chatId)), epoch + 1);
    const carol = await world.person(`Carol${world.key().replace('-', '')}`);
    const carolPhone = await MlsDevice.of(world, carol, 2);
    await ann.api.addChatMembers({ input: { chatId, memberIds: [carol.id] } });
    await Promise.all(devices.map((device) => device.settle(chatId)));
    for (const device of [...devices, carolPhone]) assert.equal((await device.catchUp(chatId), device.epoch(chatId)), epoch + 2);
    assert.equal((await world.sql('select from mls_commits k join chats c on c.id = k.chat_id where c.id = (select chat_id from mls_groups order by updated_at desc limit 1)')).length, epoch + 2);
    await carolPhone.say(chatId, 'hello');
    for (const device of devices) assert.deepEqual(texts(await device.read(chatId)), ['hello']);
  });

  it('messages and commits at once: each message can be read in the order of the history, those of an epoch that is over are sent again under their key', async () => {
    const chatId = await encryptedChat(annPhone, [bob]);
    for (const device of [annTablet, bobPhone]) await device.catchUp(chatId);
    const talk = async (device: MlsDevice, name: string) => {
      for (let n = 0; n < 8; n++) {
        for (const idempotencyKey = world.key(); ; ) {
          const outcome = await send(device, chatId, await device.encrypt(chatId, `${name} ${n}`), { idempotencyKey }).then(() => 'ok', (error: { code: string }) => error.code);
          if (outcome === 'ok') break;
          assert.equal(outcome, 'EPOCH_CONFLICT');
          await device.catchUp(chatId);
        }
      }
    };
    const commit = async () => {
      for (let n = 0; n < 6; n++) await annPhone.change(chatId, [], []);
    };
    await Promise.all([talk(bobPhone, 'bob'), commit()]);
    const heard = texts(await annTablet.read(chatId));
    assert.deepEqual(heard, Array.from({ length: 8 }, (_, n) => `bob ${n}`));
  });

  it('a repeat answers the first message, also with other bytes', async () => {
    const chatId = await encryptedChat(annPhone, [bob]);
    const idempotencyKey = world.key();
    const once = await send(annPhone, chatId, await annPhone.encrypt(chatId, 'once'), { idempotencyKey });
    await annPhone.change(chatId, [], []);
    const twice = await send(annPhone, chatId, await annPhone.encrypt(chatId, 'once'), { idempotencyKey });
    assert.equal(twice.sendEncryptedMessage.message.id, once.sendEncryptedMessage.message.id);
    await fails(send(annPhone, chatId, await annPhone.encrypt(chatId, 'an answer'), { idempotencyKey, replyToId: once.sendEncryptedMessage.message.id }), 'IDEMPOTENCY_KEY_REUSED');
    const { input } = await annPhone.prepare(chatId, [], []);
    for (let turn = 0; turn < 2; turn++) assert.equal((await annPhone.api.commitMlsGroup({ input: { chatId, ...input } })).commitMlsGroup.chat.mls!.epoch, annPhone.epoch(chatId) + 1);
  });

  it('a group that a broken commit has left stuck is made anew', async () => {
    const chatId = await encryptedChat(annPhone, [bob]);
    await bobPhone.catchUp(chatId);
    const { input } = await bobPhone.prepare(chatId, [], []);
    const broken = Buffer.from(fromBase64(input.commit));
    broken[broken.length - 1] = broken[broken.length - 1]! ^ 1;
    await bob.api.commitMlsGroup({ input: { chatId, ...input, commit: broken.toString('base64') } });
    await assert.rejects(annPhone.catchUp(chatId));
    await fails(bobPhone.found(chatId, `${chatId}/2`), 'FORBIDDEN');
    await fails(annPhone.found(chatId, `${chatId}/1`), 'EPOCH_CONFLICT');
    await fails(annPhone.found(chatId, `${chatId}/3`), 'INVALID_INPUT', 'groupInfo');
    await annPhone.found(chatId, `${chatId}/2`);
    await fails(send(bobPhone, chatId, await bobPhone.encrypt(chatId, 'in the old group')), 'FORBIDDEN');
    for (const device of [bobPhone, annTablet]) device.groups.delete(chatId);
    await annPhone.settle(chatId);
    await annPhone.say(chatId, 'in the new one');
    for (const device of [bobPhone, annTablet]) assert.deepEqual(texts(await device.read(chatId)), ['in the new one']);
    assert.deepEqual((await bob.api.mlsGroup({ chatId })).chat!.mls!.generation, 2);
  });

  it('what would need words that the server can read is ENCRYPTED_CHAT, and writes nothing', async () => {
    const chatId = await encryptedChat(annPhone, [bob]);
    const plain = await world.groupChat(ann, [bob]);
    const heard = await world.say(bob, plain, 'plain words');
    const { id } = await annPhone.say(chatId, 'secret words');
    const { bot } = (await ann.api.createBot({ input: { handle: `b${world.key().replace('-', '_')}`, displayName: 'A bot', engine: 'BUILT_IN', idempotencyKey: world.key() } })).createBot;
    await devicesTold(world);
    const before = await digest(world);
    const idempotencyKey = world.key();
    const sendAt = new Date(world.clock.now().getTime() + 3_600_000).toISOString();
    await fails(world.say(ann, chatId, 'in the clear'), 'ENCRYPTED_CHAT');
    await fails(ann.api.sendMessage({ input: { chatId, poll: { question: 'Tea?', options: ['yes', 'no'] }, idempotencyKey } }), 'ENCRYPTED_CHAT');
    await fails(ann.api.scheduleMessage({ input: { chatId, text: 'later', sendAt, idempotencyKey } }), 'ENCRYPTED_CHAT');
    await fails(ann.api.forwardMessages({ input: { messageIds: [heard.id], chatIds: [chatId], idempotencyKey } }), 'ENCRYPTED_CHAT');
    await fails(ann.api.forwardMessages({ input: { messageIds: [id], chatIds: [plain], idempotencyKey } }), 'INVALID_INPUT', 'messageIds');
    await fails(bob.api.addReaction({ input: { messageId: id, emoji: '👍' } }), 'ENCRYPTED_CHAT');
    await fails(ann.api.editMessage({ input: { messageId: id, text: 'other words' } }), 'ENCRYPTED_CHAT');
    await fails(ann.api.updateChatSettings({ input: { chatId, draft: 'half a secr' } }), 'ENCRYPTED_CHAT', 'draft');
    await fails(ann.api.createWhiteboard({ input: { chatId, idempotencyKey } }), 'ENCRYPTED_CHAT');
    await fails(ann.api.startCoBrowsing({ input: { chatId, idempotencyKey } }), 'ENCRYPTED_CHAT');
    await fails(ann.api.addChatMembers({ input: { chatId, memberIds: [bot.user.id] } }), 'ENCRYPTED_CHAT', 'memberIds');
    await fails(ann.api.createChat({ input: { kind: 'DIRECT', encryption: 'MLS', memberIds: [bot.user.id], idempotencyKey } }), 'ENCRYPTED_CHAT', 'memberIds');
    await fails(send(annPhone, plain, await annPhone.encrypt(chatId, 'not here')), 'INVALID_INPUT', 'content');
    await fails(annPhone.found(plain, `${plain}/1`), 'STATE_CONFLICT');
    assert.deepEqual(await digest(world), before);
    const { chat } = await ann.api.mlsGroup({ chatId });
    assert.ok(['SEARCH', 'BOTS', 'LINK_PREVIEWS'].every((feature) => chat!.unavailableFeatures.includes(feature as never)));
    assert.deepEqual((await ann.api.mlsGroup({ chatId: plain })).chat, { id: plain, encryption: 'NONE', unavailableFeatures: [], mls: null });
    // What needs no words goes on.
    await bob.api.markRead({ input: { chatId, seq: 1 } });
    await ann.api.pinMessage({ input: { messageId: id } });
    await bob.api.starMessage({ input: { messageId: id } });
    await ann.api.updateChat({ input: { chatId, slowModeSeconds: 60, messageTtlSeconds: 60 } });
    await bobPhone.catchUp(chatId);
    await bobPhone.say(chatId, 'gone in a minute');
    await fails(send(bobPhone, chatId, await bobPhone.encrypt(chatId, 'too fast')), 'SLOW_MODE');
    assert.equal((await ann.api.searchMessages({ query: 'words', first: 10 })).searchMessages.edges.length, 1);
  });

  it('two people have one direct chat of each kind, and a block stops both', async () => {
    const plain = await world.directChat(ann, bob);
    const secret = await encryptedChat(annPhone, [bob], 'DIRECT');
    assert.notEqual(secret, plain);
    const again = await bob.api.createChat({ input: { kind: 'DIRECT', encryption: 'MLS', memberIds: [ann.id], idempotencyKey: world.key() } });
    assert.equal(again.createChat.chat.id, secret);
    assert.equal(await world.directChat(bob, ann), plain);
    await bobPhone.catchUp(secret);
    await bobPhone.say(secret, 'before');
    await ann.api.blockUser({ input: { userId: bob.id } });
    await fails(send(bobPhone, secret, await bobPhone.encrypt(secret, 'after')), 'BLOCKED');
    await fails(bobPhone.change(secret, [], []), 'BLOCKED');
    await ann.api.unblockUser({ input: { userId: bob.id } });
    await bobPhone.say(secret, 'and again');
    assert.deepEqual(texts(await annPhone.read(secret)), ['before', 'and again']);
  });

  it('only what fits is taken: no handshake as a message, no message as a commit, nothing of another group', async () => {
    const chatId = await encryptedChat(annPhone, [bob]);
    const other = await encryptedChat(annPhone, [bob]);
    await bobPhone.catchUp(chatId);
    const { input } = await annPhone.prepare(chatId, [], []);
    const elsewhere = (await annPhone.prepare(other, [], [])).input;
    const content = await annPhone.encrypt(chatId, 'hello');
    await devicesTold(world);
    const eve = await MlsDevice.unregistered(world, await world.person(`Eve${world.key().replace('-', '')}`));
    const before = await digest(world);
    const commit = (more: object) => annPhone.api.commitMlsGroup({ input: { chatId, ...input, ...more } });
    await fails(send(annPhone, chatId, input.commit), 'INVALID_INPUT', 'content');
    await fails(send(annPhone, chatId, await annPhone.encrypt(other, 'elsewhere')), 'INVALID_INPUT', 'content');
    await fails(send(annPhone, chatId, Buffer.from(fromBase64(content)).subarray(0, 40).toString('base64')), 'INVALID_INPUT', 'content');
    await fails(send(annPhone, chatId, Buffer.alloc(70_000).toString('base64')), 'INVALID_INPUT', 'content');
    await fails(commit({ commit: content }), 'INVALID_INPUT', 'commit');
    await fails(commit({ commit: elsewhere.commit }), 'EPOCH_CONFLICT');
    await fails(commit({ groupInfo: elsewhere.groupInfo }), 'INVALID_INPUT', 'groupInfo');
    await fails(commit({ groupInfo: input.commit }), 'INVALID_INPUT', 'groupInfo');
    await fails(commit({ welcome: input.groupInfo }), 'INVALID_INPUT', 'welcome');
    await fails(commit({ removedDeviceIds: [eve.id] }), 'NOT_FOUND', 'removedDeviceIds');
    assert.deepEqual(await digest(world), before);
  });

  it('safety numbers are the same at both ends, and change with a new device', async () => {
    const chatId = await encryptedChat(annPhone, [bob]);
    const identities = async (device: MlsDevice) => {
      const { devices } = (await device.api.mlsDevices({ chatId, state: 'IN_GROUP', first: 100 })).chat!.mls!;
      const of = (person: Person) => ({ userId: person.id, signatureKeys: devices.edges.filter(({ node }) => node.device.user.id === person.id).map(({ node }) => fromBase64(node.device.signatureKey)) });
      return [of(ann), of(bob)] as const;
    };
    const atAnn = await identities(annPhone);
    const number = await safetyNumber(...atAnn);
    const [seenAnn, seenBob] = await identities(bobPhone);
    assert.equal(await safetyNumber(seenBob, seenAnn), number);
    const another = await MlsDevice.of(world, await anotherDevice(world, bob, 'another'));
    await another.joinFromOutside(chatId);
    assert.notEqual(await safetyNumber(...(await identities(annPhone))), number);
  });

  it('a session that runs out is a device that is lost', async () => {
    const chatId = await encryptedChat(annPhone, [bob]);
    await bobPhone.catchUp(chatId);
    await world.sql(`update sessions set expires_at = now() - interval '1 hour' where id = (select session_id from mls_devices where signature_key = $1)`, [Buffer.from(annTablet.signatureKey)]);
    await world.app.container.jobs.devices.endLost();
    await devicesTold(world);
    assert.equal((await devicesOf(bobPhone, chatId))[annTablet.id], 'GONE');
    await bobPhone.settle(chatId);
    assert.deepEqual(bobPhone.members(chatId), [annPhone.id, bobPhone.id].sort());
    world.clock.advance(31 * 86_400_000);
    await world.app.container.jobs.devices.forget();
    assert.deepEqual(await world.sql('select from mls_devices where signature_key = $1', [Buffer.from(annTablet.signatureKey)]), []);
    assert.deepEqual(await world.sql('select from mls_commits'), []);
  });
});
