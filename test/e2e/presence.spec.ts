import assert from 'node:assert/strict';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { OmniTalk, type EventStream, type PresenceEvent } from '../../sdk/index.js';
import { ServerProcess } from '../testkit/server-process.js';
import { eventually, fails, within, World, type Person } from '../testkit/world.js';

const HEARTBEAT = 2;
/** Two missed heartbeats or a lapsed lease, a sweep, and room for a busy machine. */
const DEAD_MS = 20_000;

/** Two processes' worth of servers on one Redis. */
describe('presence', function () {
  this.timeout(60_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  let run = 0;
  const open = new Set<{ close(): void }>();
  const until = <Closable extends { close(): void }>(closable: Closable): Closable => {
    open.add(closable);
    return closable;
  };

  before(async () => {
    world = await World.start({ nodes: 2, settings: { HEARTBEAT: String(HEARTBEAT) } });
  });
  beforeEach(async () => {
    run++;
    [ann, bob] = await Promise.all([world.person(`Ann_${run}`, 0), world.person(`Bob_${run}`, 1)]);
  });
  afterEach(() => {
    for (const closable of open) closable.close();
    open.clear();
  });
  after(() => world.stop());

  const next = async (stream: EventStream<PresenceEvent>, patience?: number): Promise<[string, string | null]> => {
    const { value, done } = await within(stream.next(), 'a presence event', patience);
    assert.equal(done, false);
    return [value.userId, value.presence?.status ?? null];
  };
  /** Whoever has connected a moment ago may be told of as they were before. */
  const nextIs = async (stream: EventStream<PresenceEvent>, other: Person, status: string | null, before: string) => {
    let told = await next(stream);
    if (told[1] === before) told = await next(stream);
    assert.deepEqual(told, [other.id, status]);
  };
  const watch = (person: Person, ...others: Person[]) => until(person.client.presenceEvents(others.map((other) => other.id)));
  /** Opens a connection that lasts until it is closed. */
  const connect = async (client: OmniTalk) => {
    const inbox = until(client.inboxEvents());
    await within(inbox.next(), 'the inbox to stand');
    return inbox;
  };
  const privacy = (person: Person, presencePrivacy: 'EVERYONE' | 'CONTACTS' | 'NOBODY') => person.api.updateProfile({ input: { presencePrivacy } });
  const setPresence = async (client: OmniTalk, status: 'ONLINE' | 'AWAY') => (await client.api.setPresence({ input: { status } })).setPresence.presence.status;
  const seenBy = async (person: Person, other: Person) => (await person.api.user({ id: other.id })).user!;

  it('is counted over devices and nodes', async () => {
    await privacy(bob, 'EVERYONE');
    const { signIn } = await world.client(null, 0).api.signIn({ input: { email: `bob_${run}@example.com`, password: `password of bob_${run}`, device: 'second' } });
    const second = world.client(signIn.accessToken, 0);
    const events = watch(ann, bob);
    assert.deepEqual(await next(events), [bob.id, 'OFFLINE']);
    const phone = await connect(bob.client);
    assert.deepEqual(await next(events), [bob.id, 'ONLINE']);
    const laptop = await connect(second);
    await eventually(async () => (await world.sql('select 1 from presence where user_id = (select id from users where handle = $1)', [bob.handle])).length === 2, 'both devices count');
    assert.equal(await setPresence(bob.client, 'AWAY'), 'ONLINE', 'the other device is looked at');
    // Said on the other node than the one that holds the connection.
    assert.equal(await setPresence(world.client(signIn.accessToken, 1), 'AWAY'), 'AWAY');
    assert.deepEqual(await next(events), [bob.id, 'AWAY']);
    laptop.close();
    assert.equal(await setPresence(bob.client, 'ONLINE'), 'ONLINE');
    assert.deepEqual(await next(events), [bob.id, 'ONLINE']);
    const before = world.clock.now();
    phone.close();
    assert.deepEqual(await next(events), [bob.id, 'OFFLINE']);
    const seen = (await seenBy(ann, bob)).presence!;
    assert.equal(seen.status, 'OFFLINE');
    assert.ok(Date.parse(seen.lastSeenAt!) >= before.getTime() && Date.parse(seen.lastSeenAt!) <= world.clock.now().getTime(), seen.lastSeenAt!);
  });

  it('a reconnect does not flicker, and AWAY ends with the session’s last connection', async () => {
    await privacy(bob, 'EVERYONE');
    const events = watch(ann, bob);
    assert.deepEqual(await next(events), [bob.id, 'OFFLINE']);
    const first = await connect(bob.client);
    assert.deepEqual(await next(events), [bob.id, 'ONLINE']);
    first.close();
    const second = await connect(bob.client);
    assert.equal(await setPresence(bob.client, 'AWAY'), 'AWAY');
    assert.deepEqual(await next(events), [bob.id, 'AWAY'], 'the very next that is heard');
    second.close();
    assert.deepEqual(await next(events), [bob.id, 'OFFLINE']);
    await connect(bob.client);
    assert.deepEqual(await next(events), [bob.id, 'ONLINE']);
  });

  it('is seen by whom its owner lets see it, from the moment that this changes', async () => {
    await privacy(bob, 'CONTACTS');
    await connect(bob.client);
    await eventually(async () => (await seenBy(bob, bob)).viewerState?.presence?.status === 'ONLINE', 'bob sees himself');
    const events = watch(ann, bob);
    await ann.api.addContact({ input: { userId: bob.id } });
    assert.deepEqual([(await seenBy(ann, bob)).presence, (await seenBy(ann, bob)).viewerState!.presence], [null, null], 'to have somebody as a contact gives no right');
    await bob.api.addContact({ input: { userId: ann.id } });
    assert.deepEqual(await next(events), [bob.id, 'ONLINE'], 'the first that ann hears of bob');
    assert.deepEqual([(await seenBy(ann, bob)).presence, (await seenBy(ann, bob)).viewerState!.presence?.status], [null, 'ONLINE']);
    await bob.api.removeContact({ input: { userId: ann.id } });
    assert.deepEqual(await next(events), [bob.id, null]);
    await privacy(bob, 'EVERYONE');
    assert.deepEqual(await next(events), [bob.id, 'ONLINE']);
    assert.equal((await seenBy(ann, bob)).presence?.status, 'ONLINE');
    await privacy(bob, 'NOBODY');
    assert.deepEqual(await next(events), [bob.id, null]);
    await privacy(bob, 'EVERYONE');
    assert.deepEqual(await next(events), [bob.id, 'ONLINE']);
  });

  it('is not seen across a block, either way', async () => {
    await privacy(bob, 'EVERYONE');
    await privacy(ann, 'EVERYONE');
    await connect(bob.client);
    const [hers, his] = [watch(ann, bob), watch(bob, ann)];
    await nextIs(hers, bob, 'ONLINE', 'OFFLINE');
    await nextIs(his, ann, 'ONLINE', 'OFFLINE');
    await bob.api.blockUser({ input: { userId: ann.id } });
    assert.deepEqual(await next(hers), [bob.id, null]);
    assert.deepEqual(await next(his), [ann.id, null]);
    for (const [from, to] of [[ann, bob], [bob, ann]] as const) {
      const { presence, viewerState } = await seenBy(from, to);
      assert.deepEqual([presence, viewerState!.presence], [null, null]);
    }
    await bob.api.unblockUser({ input: { userId: ann.id } });
    assert.deepEqual(await next(hers), [bob.id, 'ONLINE']);
    assert.deepEqual(await next(his), [ann.id, 'ONLINE']);
  });

  it('a connection that has gone silent is found out', async () => {
    await privacy(bob, 'EVERYONE');
    const events = watch(ann, bob);
    assert.deepEqual(await next(events), [bob.id, 'OFFLINE']);
    const silent = new WebSocket(`${world.apps[1]!.url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws', { autoPong: false });
    await once(silent, 'open');
    silent.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${bob.accessToken}` } }));
    assert.deepEqual(await next(events), [bob.id, 'ONLINE']);
    assert.deepEqual(await next(events, DEAD_MS), [bob.id, 'OFFLINE']);
    silent.terminate();
  });

  it('a process that is killed takes its people’s presence with it', async () => {
    await privacy(bob, 'EVERYONE');
    const server = await ServerProcess.start(world, { HEARTBEAT: String(HEARTBEAT) });
    const client = new OmniTalk({ url: `${server.url}/graphql`, accessToken: bob.accessToken });
    try {
      const events = watch(ann, bob);
      assert.deepEqual(await next(events), [bob.id, 'OFFLINE']);
      await connect(client);
      assert.deepEqual(await next(events), [bob.id, 'ONLINE']);
      await server.kill();
      assert.deepEqual(await next(events, DEAD_MS), [bob.id, 'OFFLINE']);
      await eventually(async () => (await seenBy(ann, bob)).presence?.lastSeenAt != null, 'when he was last seen is noted');
      assert.deepEqual(await world.sql('select 1 from presence p where not exists (select from nodes n where n.id = p.node_id)'), []);
    } finally {
      await client.close();
      await server.kill();
    }
  });

  it('what a crash of the database takes is written again', async () => {
    await privacy(bob, 'EVERYONE');
    await connect(bob.client);
    const online = async () => (await seenBy(ann, bob)).presence?.status === 'ONLINE';
    await eventually(online, 'bob is there');
    await world.sql('truncate nodes, presence');
    assert.equal(await online(), false);
    await eventually(online, 'bob is there again');
  });

  it('a subscription names 1 to 100 people; of who never was nothing is told', async () => {
    const failing = async (userIds: string[], code: string) => fails(within(ann.client.presenceEvents(userIds).next(), 'an error'), code, 'userIds');
    await failing([], 'INVALID_INPUT');
    await failing([...Array(101)].map((_, index) => `usr_${String(index).padStart(32, '0')}`), 'INVALID_INPUT');
    await failing(['nonsense'], 'INVALID_ID');
    const events = until(ann.client.presenceEvents([`usr_${'0'.repeat(32)}`, ann.id]));
    await nextIs(events, ann, 'ONLINE', 'OFFLINE');
    await fails(within(world.client().presenceEvents([ann.id]).next(), 'an error'), 'UNAUTHENTICATED');
  });
});
