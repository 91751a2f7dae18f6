import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { decodeId, newId } from '../../src/lib/ids.js';
import { NOT_PEOPLE, ROOMS } from '../../src/services/privacy/holdings/index.js';
import type { ObjectStore } from '../../src/storage/store.js';
import { ADDRESS, openShop, sell } from '../testkit/commerce.js';
import { administrator, signedInAgain } from '../testkit/news.js';
import { PIXEL } from '../testkit/pictures.js';
import { befriend } from '../testkit/statuses.js';
import { eventually, fails, take, World, type Person } from '../testkit/world.js';
import { unzip } from '../testkit/zip.js';

const NOBODY = 'usr_0190aaaaaaaa7aaa8aaaaaaaaaaaaaaa';
const HOLDINGS = Object.values(ROOMS).flat();

describe('what a place has of somebody', function () {
  this.timeout(60_000);
  let world: World;
  let root: Person;
  before(async () => {
    world = await World.start({ settings: { RETENTION_MESSAGE_DAYS: '400', RETENTION_ACCOUNT_DAYS: '800', RETENTION_ORDER_DAYS: '600' } });
    root = await administrator(world);
  });
  after(() => world.stop());

  const entries = async (subjectId: string) => (await root.api.auditLog({ filter: { subjectId } })).auditLog.edges.map(({ node }) => node);
  const made = async (person: Person, id: string) => {
    await eventually(async () => (await person.api.dataExport({ id })).dataExport!.state === 'READY', 'the copy is there', 20_000);
    return (await person.api.dataExport({ id })).dataExport!;
  };
  const ask = async (person: Person, userId: string | null = null) => (await person.api.requestDataExport({ input: { userId, idempotencyKey: world.key() } })).requestDataExport.dataExport;
  const erased = (userId: string) => eventually(async () => (await world.sql('select from erasures where user_id = $1 and finished_at is not null', [decodeId('User', userId)])).length === 1, 'they are erased', 20_000);

  /** Somebody who has left something in many rooms. */
  async function live(name: string) {
    const [person, friend] = await world.people(name, `${name}_friend`);
    await befriend(person, friend);
    const [direct, group] = [await world.directChat(person, friend), await world.groupChat(person, [friend], `With ${name}`)];
    const file = await world.upload(person, PIXEL, { name: 'dot.png', contentType: 'image/png' });
    const secret = (await person.api.sendMessage({ input: { chatId: direct, text: `the secret of ${name}`, attachments: [{ fileId: file.id! }], idempotencyKey: world.key() } })).sendMessage.message;
    await world.say(friend, direct, 'an answer');
    await world.say(person, group, 'in the group');
    await person.api.scheduleMessage({ input: { chatId: direct, text: 'later', sendAt: new Date(world.clock.now().getTime() + 86_400_000).toISOString(), idempotencyKey: world.key() } });
    await person.api.postStatus({ input: { text: `status of ${name}`, idempotencyKey: world.key() } });
    await person.api.saveAddress({ input: { address: ADDRESS } });
    const picture = await world.upload(person, PIXEL, { name: 'me.png', contentType: 'image/png' });
    await person.api.updateProfile({ input: { about: `about ${name}`, avatarFileId: picture.id! } });
    const app = (await person.api.createApp({ input: { name: 'An app', redirectUris: [], scopes: ['chats:read'], idempotencyKey: world.key() } })).createApp.app;
    await person.api.createApiKey({ input: { appId: app.id, name: 'a key', idempotencyKey: world.key() } });
    const shop = await openShop(world, friend);
    const product = await sell(world, shop, 'Tea');
    const { cart } = (await person.api.createCart({ input: { shopId: shop.id, idempotencyKey: world.key() } })).createCart;
    await person.api.addToCart({ input: { cartId: cart.id, variantId: product.variants[0]!.id, quantity: 1, idempotencyKey: world.key() } });
    const { result } = (await person.api.checkout({ input: { cartId: cart.id, terms: { address: ADDRESS }, idempotencyKey: world.key() } })).checkout;
    assert.ok(result.__typename === 'CheckoutCompleted');
    return { person, friend, direct, group, secret, fileId: file.id!, orderId: result.order.id };
  }

  it('every column that could name somebody is declared by its room, and every table that is declared is there', async () => {
    const columns = await world.sql<{ table: string; name: string }>(
      `select c.relname as table, a.attname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       left join pg_constraint k on k.conrelid = c.oid and k.contype = 'f' and k.conkey = array[a.attnum]
       where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and a.atttypid in ('uuid'::regtype, 'uuid[]'::regtype)
         and (k.confrelid = 'users'::regclass or k.oid is null) order by 1, 2`,
    );
    const declared = new Set(HOLDINGS.flatMap(({ table, columns: names }) => names.map((name) => `${table}.${name}`)));
    const forgotten = columns.filter(({ table, name }) => !declared.has(`${table}.${name}`) && !NOT_PEOPLE.has(name));
    assert.deepEqual(forgotten.map(({ table, name }) => `${table}.${name}`), [], 'declare them in src/services/privacy/holdings: what is exported, erased, kept, and why');
    const tables = new Set((await world.sql<{ name: string }>(`select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')`)).map(({ name }) => name));
    assert.deepEqual(HOLDINGS.filter(({ table }) => !tables.has(table)).map(({ table }) => table), []);
    assert.deepEqual(HOLDINGS.filter(({ why }) => why.length < 8).map(({ table }) => table), []);
  });

  it('a copy of it is a ZIP that the person fetches, with all that is theirs and nothing of others', async () => {
    const { person, friend, fileId, secret } = await live('Ann');
    const inbox = person.client.inboxEvents([(await person.api.viewer()).viewer!.eventCursor]);
    const asked = await ask(person);
    // A second one is the same while it is being made; afterwards it is another.
    assert.ok((await person.api.dataExport({ id: asked.id })).dataExport);
    const { file } = await made(person, asked.id);
    const [event, notice] = await take(inbox, 2);
    inbox.close();
    assert.ok(event!.__typename === 'FileChanged' && event.file?.id === file!.id);
    assert.ok(notice!.__typename === 'NotificationAdded' && notice.notification?.kind === 'DATA_EXPORT_READY' && notice.notification.dataExportId === asked.id);
    assert.equal((await person.api.dataExports()).viewer!.dataExports.edges.length, 1);
    const bytes = Buffer.from(await (await fetch(file!.url!)).arrayBuffer());
    assert.equal(bytes.length, file!.bytes);
    const zip = await unzip(bytes);
    const rows = (name: string) => JSON.parse(zip.get(`${name}.json`)!.toString()) as Record<string, unknown>[];
    const [user] = rows('account/users');
    assert.deepEqual([user!['handle'], user!['email'], user!['about']], ['ann', 'ann@example.com', 'about Ann']);
    assert.deepEqual(rows('chats/messages').filter(({ kind }) => kind !== 'SYSTEM').map(({ text }) => text).sort(), ['in the group', 'the secret of Ann']);
    assert.deepEqual(rows('people/contacts').map(({ contact_id }) => contact_id), [decodeId('User', friend.id)]);
    assert.equal(rows('shops/orders').length, 1);
    assert.deepEqual(rows('statuses/statuses').map(({ text }) => text), ['status of Ann']);
    const manifest = JSON.parse(zip.get('manifest.json')!.toString()) as { tables: { table: string }[]; files: { id: string; file: string }[] };
    assert.equal(manifest.tables.length, HOLDINGS.length);
    const listed = manifest.files.find(({ id }) => id === decodeId('File', fileId))!;
    assert.ok(zip.get(listed.file)!.length > 0);
    const everything = [...zip.entries()].filter(([name]) => name.endsWith('.json')).map(([, text]) => text.toString()).join();
    for (const foreign of ['an answer', `${friend.handle}@example.com`, '$argon2', 'secret_hash']) assert.ok(!everything.includes(foreign), foreign);
    assert.ok(everything.includes(decodeId('User', person.id)) && secret.seq > 0);
    assert.deepEqual((await entries(person.id)).map(({ action, actor, details }) => [action, actor!.id, details]), [['DATA_EXPORT_REQUESTED', person.id, { own: true }]]);
  });

  it('support has one made for somebody else, who finds it; nobody else may, or sees it', async () => {
    const [bob, sue, eve] = await world.people('Bob', 'Sue', 'Eve');
    await root.api.setUserRoles({ input: { userId: sue.id, roles: ['SUPPORT'] } });
    const support = await signedInAgain(world, sue);
    await fails(ask(eve, bob.id), 'FORBIDDEN');
    await fails(ask(support, NOBODY), 'NOT_FOUND', 'userId');
    const { id } = await ask(support, bob.id);
    const copy = await made(bob, id);
    assert.equal((await support.api.dataExport({ id })).dataExport!.file!.id, copy.file!.id);
    assert.equal((await eve.api.dataExport({ id })).dataExport, null);
    // Who is support no more sees it no more.
    await root.api.setUserRoles({ input: { userId: sue.id, roles: [] } });
    assert.equal((await (await signedInAgain(world, sue)).api.dataExport({ id })).dataExport, null);
    await root.api.setUserRoles({ input: { userId: sue.id, roles: ['SUPPORT'] } });
    assert.deepEqual((await entries(bob.id)).map(({ action, actor }) => [action, actor!.id]), [['DATA_EXPORT_REQUESTED', sue.id]]);
    for (let more = 0; more < 2; more++) await made(bob, (await ask(bob)).id);
    await fails(ask(bob), 'RATE_LIMITED');
    world.clock.advance(8 * 86_400_000);
    const later = await signedInAgain(world, bob);
    const old = (await later.api.dataExport({ id })).dataExport!;
    assert.deepEqual([old.state, old.file], ['EXPIRED', null]);
    // Told of each once: three copies that were ready, and that have gone. Support, who asked for the first, is told of none.
    const told = async (who: Person) => (await who.api.notifications({ first: 20 })).viewer!.notifications.edges.flatMap(({ node }) => (node.kind.startsWith('DATA_EXPORT') ? [node] : []));
    await eventually(async () => (await told(later)).length === 6, 'they are told that the copies have gone');
    assert.deepEqual((await told(later)).map(({ kind }) => kind).sort(), [...Array<string>(3).fill('DATA_EXPORT_EXPIRED'), ...Array<string>(3).fill('DATA_EXPORT_READY')]);
    assert.deepEqual((await told(later)).filter(({ dataExportId }) => dataExportId === id).map(({ kind }) => kind).sort(), ['DATA_EXPORT_EXPIRED', 'DATA_EXPORT_READY']);
    assert.equal(await world.app.container.jobs.exports.tellExpired(), false);
    assert.equal((await told(later)).length, 6);
    assert.deepEqual(await told(await signedInAgain(world, sue)), []);
    await eventually(async () => !(await world.sql(`select from files where id = $1`, [decodeId('File', copy.file!.id!)])).length, 'the file is removed');
    root = await signedInAgain(world, root);
  });

  it('an account is erased by whoever has it: name and sessions at once, what it left in every room, and what is kept names nobody', async () => {
    const { person, friend, direct, group, secret, fileId, orderId } = await live('Carol');
    const wrong = { handle: 'carol', password: 'not it at all' };
    await fails(person.api.deleteAccount({ input: { handle: 'carrol', password: 'password of carol' } }), 'INVALID_INPUT', 'handle');
    await fails(person.api.deleteAccount({ input: wrong }), 'INVALID_CREDENTIALS', 'password');
    await fails(person.api.deleteAccount({ input: { handle: 'carol' } }), 'INVALID_CREDENTIALS', 'password');
    assert.equal((await person.api.viewer()).viewer!.user.handle, 'carol');
    const chat = (await friend.api.chat({ id: direct })).chat!;
    const stream = friend.client.chatEvents(direct, chat.eventCursor);
    assert.equal((await person.api.deleteAccount({ input: { handle: '@Carol', password: 'password of carol' } })).deleteAccount.userId, person.id);
    await fails(person.api.viewer(), 'SESSION_ENDED');
    await fails(world.client().api.signIn({ input: { email: 'carol@example.com', password: 'password of carol' } }), 'INVALID_CREDENTIALS');
    const [gone] = await take(stream, 1);
    stream.close();
    assert.ok(gone!.__typename === 'MessageDeleted');
    await erased(person.id);

    const shown = (await friend.api.messageBySeq({ chatId: direct, seq: secret.seq })).chat!.message!;
    assert.deepEqual([shown.text, shown.sender.displayName], [null, 'Deleted account']);
    assert.deepEqual(await world.sql('select about, avatar_url, email, password_hash from users where id = $1', [decodeId('User', person.id)]), [{ about: null, avatar_url: null, email: null, password_hash: null }]);
    assert.ok(shown.deletedAt && /^deleted_[0-9a-f]{12}$/.test(shown.sender.handle));
    assert.equal((await friend.api.userByHandle({ handle: 'carol' })).userByHandle, null);
    assert.deepEqual((await friend.api.contacts({})).viewer!.contacts.edges, []);
    assert.deepEqual(await world.sql('select from chat_members where chat_id = $1 and user_id = $2', [decodeId('Chat', group), decodeId('User', person.id)]), []);
    const order = (await friend.api.order({ id: orderId })).order!;
    assert.equal(order.address.city, ADDRESS.city);
    // Whatever its room has promised to erase, is.
    const key = decodeId('User', person.id);
    for (const { table, exported, erased: how } of HOLDINGS) {
      if (typeof how !== 'string' || !/^delete from \w+ where \w+ = \$1$/.test(how) || exported === null) continue;
      assert.deepEqual(await world.sql(exported, [key]), [], table);
    }
    const left = await world.sql<{ n: number }>(`select (select count(*) from messages where sender_id = $1 and text is not null) + (select count(*) from apps where owner_id = $1) + (select count(*) from statuses where author_id = $1 and text is not null) as n`, [key]);
    assert.equal(Number(left[0]!.n), 0);
    await eventually(async () => !(await world.sql('select from files where owner_id = $1', [key])).length, 'the files are removed');
    assert.ok(fileId);
    const audited = await entries(person.id);
    assert.deepEqual(audited.map(({ action }) => action), ['USER_ERASURE_FINISHED', 'USER_ERASED']);
    assert.equal((audited[0]!.details as { messages: number }).messages, 2);
    // The job again does no harm, and the name is free.
    await world.app.container.jobs.erasures.run({ userId: key });
    assert.equal((await entries(person.id)).length, 2);
    assert.equal((await world.person('Carol')).handle, 'carol');
  });

  it('administrators erase others: not those who have a role, nor while their shop owes somebody; and nobody comes back from it', async () => {
    const [dan, mod, buyer] = await world.people('Dan', 'Mod', 'Buyer');
    await root.api.setUserRoles({ input: { userId: mod.id, roles: ['MODERATOR'] } });
    const moderator = await signedInAgain(world, mod);
    const erase = (by: Person, userId: string, reason = 'asked by letter') => by.api.eraseUser({ input: { userId, reason } });
    await fails(erase(moderator, dan.id), 'FORBIDDEN');
    await fails(erase(root, mod.id), 'STATE_CONFLICT');
    await fails(erase(root, NOBODY), 'NOT_FOUND', 'userId');
    await fails(erase(root, dan.id, ' '), 'INVALID_INPUT', 'reason');
    await fails(root.api.deleteAccount({ input: { handle: 'root', password: 'password of root' } }), 'STATE_CONFLICT');
    const shop = await openShop(world, dan);
    const product = await sell(world, shop, 'Tea');
    const { cart } = (await buyer.api.createCart({ input: { shopId: shop.id, idempotencyKey: world.key() } })).createCart;
    await buyer.api.addToCart({ input: { cartId: cart.id, variantId: product.variants[0]!.id, quantity: 1, idempotencyKey: world.key() } });
    const { result } = (await buyer.api.checkout({ input: { cartId: cart.id, terms: { address: ADDRESS }, idempotencyKey: world.key() } })).checkout;
    assert.ok(result.__typename === 'CheckoutCompleted');
    await fails(erase(root, dan.id), 'STATE_CONFLICT');
    await world.sql(`update orders set state = 'COMPLETED' where shop_id = $1`, [decodeId('Shop', shop.id)]);
    assert.equal((await erase(root, dan.id)).eraseUser.user.displayName, 'Deleted account');
    await erased(dan.id);
    assert.equal((await buyer.api.product({ id: product.id })).product, null);
    await erase(root, dan.id);
    await fails(moderator.api.reinstateUser({ input: { userId: dan.id, reason: 'a mistake' } }), 'NOT_FOUND', 'userId');
    await fails(root.api.setUserRoles({ input: { userId: dan.id, roles: ['ADMIN'] } }), 'NOT_FOUND', 'userId');
    assert.deepEqual((await entries(dan.id)).map(({ action, actor }) => [action, actor!.id]), [['USER_ERASURE_FINISHED', root.id], ['USER_ERASED', root.id]]);
  });

  it('nobody who was suspended for a while is back when that is over, once they are erased', async () => {
    const nel = await world.person('Nel');
    await root.api.suspendUser({ input: { userId: nel.id, reason: 'a day off', seconds: 60 } });
    await root.api.eraseUser({ input: { userId: nel.id, reason: 'asked by letter' } });
    await erased(nel.id);
    const later = new Date(world.clock.now().getTime() + 61_000);
    assert.deepEqual(await world.sql(`select handle from users where suspended_until <= $1`, [later]), []);
    assert.equal((await world.sql('select from users where id = $1 and suspended_at is not null', [decodeId('User', nel.id)])).length, 1);
  });

  it('whoever is erased gets no address again: neither by a mail that was on its way, nor by one that waited', async () => {
    const [oda, id] = await world.person('Oda').then((person) => [person, decodeId('User', person.id)] as const);
    await oda.api.deleteAccount({ input: { handle: 'oda', password: 'password of oda' } });
    await erased(oda.id);
    await world.app.container.jobs.emails.sendVerification({ userId: id, email: 'late@example.com', until: world.clock.now().getTime() + 3_600_000 });
    assert.deepEqual(world.outbox.mailsTo('late@example.com'), []);
    const token = randomBytes(32).toString('base64url');
    await world.sql(`insert into one_time_codes (id, purpose, subject, user_id, code_hash, created_at, expires_at) values ($1, 'VERIFY_EMAIL', 'oda@example.com', $2, $3, $4, $5)`, [
      newId(), id, createHash('sha256').update(token).digest(), world.clock.now(), new Date(world.clock.now().getTime() + 3_600_000),
    ]);
    await fails(world.client().api.verifyEmail({ input: { token } }), 'CODE_INVALID', 'token');
    assert.deepEqual(await world.sql('select email from users where id = $1', [id]), [{ email: null }]);
    await world.person('Oda');
  });

  it('what is held of their messages goes with its files: theirs, and those of others that they wanted to send on', async () => {
    const [pia, ron] = await world.people('Pia', 'Ron');
    const [elsewhere, group] = [await world.directChat(ron, pia), await world.groupChat(ron, [pia], 'Guarded')];
    await ron.api.updateModerationRules({ input: { chatId: group, rules: { words: [{ word: 'casino', action: 'HOLD' }] } } });
    const [own, others] = [await world.upload(pia, PIXEL, { name: 'own.png', contentType: 'image/png' }), await world.upload(ron, PIXEL, { name: 'others.png', contentType: 'image/png' })];
    const { message } = (await ron.api.sendMessage({ input: { chatId: elsewhere, text: 'a casino', attachments: [{ fileId: others.id! }], idempotencyKey: world.key() } })).sendMessage;
    await fails(pia.api.sendMessage({ input: { chatId: group, text: 'my casino', attachments: [{ fileId: own.id! }], idempotencyKey: world.key() } }), 'HELD');
    await fails(pia.api.forwardMessages({ input: { messageIds: [message.id], chatIds: [group], idempotencyKey: world.key() } }), 'HELD');
    await ron.api.deleteMessage({ input: { messageId: message.id, scope: 'FOR_EVERYONE' } });
    await pia.api.deleteAccount({ input: { handle: 'pia', password: 'password of pia' } });
    await erased(pia.id);
    const files = [own, others].map(({ id }) => decodeId('File', id!));
    await eventually(async () => !(await world.sql('select from files where id = any($1)', [files])).length, 'both are removed');
  });

  it('a copy that is made while its person is erased is nobody’s, and goes', async () => {
    const sal = await world.person('Sal');
    const { store } = world.app.container.jobs.exports as unknown as { store: ObjectStore };
    const putFile = store.putFile.bind(store);
    let key: string | null = null;
    store.putFile = async (...given) => {
      const put = await putFile(...given);
      key = given[0];
      await sal.api.deleteAccount({ input: { handle: 'sal', password: 'password of sal' } });
      return put;
    };
    const { id } = await ask(sal);
    await eventually(() => key !== null, 'it has been written');
    store.putFile = putFile;
    assert.equal(key, `exports/${decodeId('DataExport', id)}.zip`);
    await erased(sal.id);
    await eventually(async () => (await store.size(key!)) === null, 'it is removed');
  });

  it('copies wait for one another, and nobody’s code waits for them', async () => {
    const { store } = world.app.container.jobs.exports as unknown as { store: ObjectStore };
    const putFile = store.putFile.bind(store);
    const held = Promise.withResolvers<void>();
    let writing = 0;
    store.putFile = async (...given) => {
      writing++;
      await held.promise;
      return putFile(...given);
    };
    const people = await world.people('Una', 'Vic', 'Wim', 'Xia', 'Yan');
    const asked = await Promise.all(people.map(async (person) => (await ask(person)).id));
    await eventually(() => writing === 1, 'one is written');
    await world.client().api.requestPhoneCode({ input: { phone: '+41791234567' } });
    await eventually(() => world.outbox.texts.length > 0, 'the code is sent');
    assert.equal(writing, 1);
    store.putFile = putFile;
    held.resolve();
    for (const [index, id] of asked.entries()) await made(people[index]!, id);
  });

  it('rules of retention erase messages, addresses of orders and idle accounts when their time is over, and nothing before', async () => {
    const { person, friend, direct, secret } = await live('Fay');
    const { retention } = world.app.container.jobs;
    const text = async (reader: Person) => (await reader.api.messageBySeq({ chatId: direct, seq: secret.seq })).chat!.message!.text;
    const address = async () => (await world.sql<{ a: { line1: string; country: string } }>('select address as a from orders where buyer_id = $1', [decodeId('User', person.id)]))[0]!.a;
    await world.sql(`update orders set state = 'COMPLETED'`);
    world.clock.advance(399 * 86_400_000);
    await retention.run();
    assert.equal(await text(await signedInAgain(world, friend)), 'the secret of Fay');
    world.clock.advance(2 * 86_400_000);
    await retention.run();
    const reader = await signedInAgain(world, friend);
    assert.equal(await text(reader), null);
    assert.equal((await address()).line1, ADDRESS.line1);
    world.clock.advance(200 * 86_400_000);
    await signedInAgain(world, friend);
    await retention.run();
    assert.deepEqual([(await address()).line1, (await address()).country], ['', ADDRESS.country]);
    world.clock.advance(200 * 86_400_000);
    await retention.run();
    const accounts = await world.sql<{ handle: string }>(`select handle from users where handle in ('fay', 'fay_friend', 'root') order by 1`);
    assert.deepEqual(accounts.map(({ handle }) => handle), ['fay_friend', 'root']);
    await erased(person.id);
  });

  it('an account is not idle that is used without a connection, nor one whose keys are', async () => {
    const [idle, reads, owner] = await world.people('Idle', 'Reads', 'Keys');
    const { app } = (await owner.api.createApp({ input: { name: 'An app', redirectUris: [], scopes: ['profile:read'], idempotencyKey: world.key() } })).createApp;
    const key = (await owner.api.createApiKey({ input: { appId: app.id, name: 'a key', idempotencyKey: world.key() } })).createApiKey.key!;
    const { retention, upkeep } = world.app.container.jobs;
    const ids = [idle, reads, owner].map(({ id }) => decodeId('User', id));
    const left = async () => (await world.sql<{ handle: string }>('select handle from users where id = any($1) and erased_at is null order by 1', [ids])).map(({ handle }) => handle);
    world.clock.advance(500 * 86_400_000);
    await signedInAgain(world, reads);
    await world.client(key).request('{ viewer { user { id } } }', {});
    // Long enough for the sessions to be forgotten by which they came.
    world.clock.advance(350 * 86_400_000);
    await upkeep.codesAndTokens();
    assert.equal((await world.sql(`select from sessions s where s.user_id = $1`, [ids[1]])).length, 0);
    await retention.run();
    assert.deepEqual(await left(), ['keys', 'reads']);
    world.clock.advance(460 * 86_400_000);
    await upkeep.codesAndTokens();
    await retention.run();
    assert.deepEqual(await left(), []);
  });
});
