import assert from 'node:assert/strict';
import { OmniTalk, type OmniTalkError, type TypingEvent } from '../../sdk/index.js';
import { chatStream } from '../../src/events/catalogue.js';
import { decodeId } from '../../src/lib/ids.js';
import { assertLossless, lasting, Witness, Writer } from '../testkit/lossless.js';
import { ClusterFarm, SentinelFarm, type FarmedRedis } from '../testkit/redis-farm.js';
import { eventually, within, World, type Person } from '../testkit/world.js';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const FAILOVER_MS = 40_000;
/** That one address may make in 10 minutes, by both nodes together. */
const ATTEMPTS = 40;

/** A Redis of several servers, as the application is told of it. */
interface Kind {
  farm: { close(): Promise<void> };
  settings: Record<string, string>;
  /** Which is killed, and which then takes over. */
  master: FarmedRedis;
  replica: FarmedRedis;
  hasTakenOver: () => Promise<boolean>;
  /** How channels are listed. */
  listing: 'channels' | 'shardchannels';
}
const addresses = (servers: readonly FarmedRedis[]) => servers.map(({ address }) => address).join(',');

const KINDS: Record<string, () => Promise<Kind>> = {
  'whose master sentinels know': async () => {
    const farm = await SentinelFarm.start();
    const { master, replica } = farm;
    return { farm, settings: { REDIS_SENTINELS: addresses(farm.sentinels) }, master, replica, hasTakenOver: async () => (await farm.masterPort()) === replica.port, listing: 'channels' };
  },
  'that is a cluster': async () => {
    const farm = await ClusterFarm.start();
    const [master, other] = farm.masters as [FarmedRedis, FarmedRedis];
    const hasTakenOver = () => farm.replica.ask('role').then((text) => text.startsWith('master'), () => false);
    return { farm, settings: { REDIS_NODES: addresses([master, other]) }, master, replica: farm.replica, hasTakenOver, listing: 'shardchannels' };
  },
};

for (const [name, start] of Object.entries(KINDS)) {
  /** The whole application, on two nodes, by settings alone. It compares with the database so seldom that whatever arrives was told of. */
  describe(`two nodes with a Redis ${name}`, function () {
    this.timeout(lasting(60_000, 120_000));
    let kind: Kind;
    let world: World;
    let ann: Person;
    let bob: Person;
    let chatId: string;
    before(async () => {
      kind = await start();
      world = await World.start({ nodes: 2, settings: { REDIS_URL: 'redis://unused', ...kind.settings, RECONCILE: '60', RATE_LIMIT_AUTH: String(ATTEMPTS) } });
      await allIsWell();
      [ann, bob] = [await world.person('Ann', 0), await world.person('Bob', 1)];
      chatId = await chatOfMaster();
    });
    after(async () => {
      await world?.stop();
      await kind?.farm.close();
    });

    const allIsWell = () => eventually(() => world.apps.every(({ container: { bus, rates } }) => bus.state === 'ok' && rates.redisReady === true), 'both are with Redis', FAILOVER_MS);
    const streamOf = (id: string) => chatStream(decodeId('Chat', id));
    const listens = async (redis: FarmedRedis, id: string) => (await redis.ask('pubsub', kind.listing, 'omnitalk:chat:*')).split('\n').includes(`omnitalk:${streamOf(id)}`);
    const cursorOf = async (person: Person, id: string) => (await person.api.chat({ id })).chat!.eventCursor;

    /** A chat whose events go by the server that will be killed: of a cluster's, each has some. */
    async function chatOfMaster(): Promise<string> {
      for (let n = 0; n < 40; n++) {
        const id = await world.groupChat(ann, [bob]);
        const witness = Witness.ofChat(bob, id, await cursorOf(bob, id));
        await world.say(ann, id, 'here I am');
        await eventually(() => witness.of(id).length > 0, 'it is heard');
        const its = await listens(kind.master, id);
        witness.close();
        if (its) return id;
      }
      throw new Error('no chat goes by that server');
    }

    async function typingIsHeard(): Promise<void> {
      for (const [typist, listener] of [[ann, bob], [bob, ann]] as const) {
        const stream = listener.client.typingEvents(chatId);
        let heard = false;
        const told = stream.next().then(({ value }) => ((heard = true), value as TypingEvent));
        told.catch(() => undefined); // met below
        for (let turn = 0; !heard && turn < 40; turn++) {
          // The same word is passed on once in 2 s, and nobody knows when the subscription stands.
          await typist.api.setTyping({ input: { chatId, typing: turn % 2 === 0 } });
          await pause(200);
        }
        assert.equal((await within(told, 'typing comes', 1_000)).userId, typist.id);
        stream.close();
      }
    }

    /** What becomes of an attempt to sign in at a node. */
    let attempts = 0;
    async function attempt(node: number): Promise<string> {
      const client = new OmniTalk({ url: `${world.apps[node]!.url}/graphql` });
      const code = await client.api.signIn({ input: { email: `nobody${attempts++}@example.com`, password: 'wrong password' } }).then(() => 'in', (error: OmniTalkError) => error.code);
      await client.close();
      return code;
    }

    it('tell each other of what is said in a chat, and of who types', async () => {
      const own = (await bob.api.viewer()).viewer!.eventCursor;
      const after = await cursorOf(bob, chatId);
      const witnesses = [Witness.ofChat(ann, chatId, after), Witness.ofChat(bob, chatId, after), Witness.ofInbox(bob, [own, after])];
      for (const [index, person] of [ann, bob, ann, bob].entries()) {
        await world.say(person, chatId, `number ${index}`);
        await eventually(() => witnesses.every((witness) => witness.of(chatId).length === index + 1), `number ${index} is heard`);
      }
      for (const witness of witnesses) witness.close();
      await typingIsHeard();
    });

    it('count attempts together', async () => {
      const codes = [];
      for (let n = 0; n < 2 * ATTEMPTS; n++) codes.push(await attempt(n % 2));
      const refused = codes.filter((code) => code === 'RATE_LIMITED').length;
      assert.equal(codes.filter((code) => code === 'INVALID_CREDENTIALS').length, codes.length - refused);
      // Each by itself would have refused none; what Redis is too slow to count in time, the node counts.
      assert.ok(refused > ATTEMPTS / 2, `${refused} of ${codes.length}`);
    });

    it('lose nothing when its master is killed, and go on with the one that takes over', async () => {
      for (let n = 0; n <= ATTEMPTS; n++) await attempt(n % 2); // all that there are
      const head = async () => Number((await world.sql<{ head: string }>('select head from streams where id = $1', [streamOf(chatId)]))[0]!.head);
      const [from, after, own] = [await head(), await cursorOf(bob, chatId), (await bob.api.viewer()).viewer!.eventCursor];
      // One writes, so that nothing at the other's node shows it what it has not been told of.
      const witnesses = [Witness.ofChat(ann, chatId, after), Witness.ofChat(bob, chatId, after), Witness.ofInbox(bob, [own, after])];
      const writer = new Writer(ann, chatId, 'ann', 20).start();
      try {
        await eventually(() => witnesses.every((witness) => witness.of(chatId).length > 0), 'all follow');
        assert.ok(await listens(kind.master, chatId));
        await kind.master.kill();
        await eventually(kind.hasTakenOver, 'another takes over', FAILOVER_MS);
        await eventually(() => listens(kind.replica, chatId), 'the chat goes by it', FAILOVER_MS);
        await allIsWell();
        await pause(lasting(500, 10_000));
        await writer.stop();
        await assertLossless(chatId, from, head, witnesses, [writer]);
      } finally {
        await writer.stop().catch(() => undefined);
        for (const witness of witnesses) witness.close();
      }
      assert.deepEqual([...writer.failures], [], 'nobody who writes notices');
      await typingIsHeard();
      // What was spent is not forgotten: by itself a node would grant as many again.
      for (const node of [0, 1]) {
        const codes: string[] = [];
        while (codes.length < 10 && codes.at(-1) !== 'RATE_LIMITED') {
          if (codes.length) await pause(500);
          codes.push(await attempt(node));
        }
        assert.equal(codes.at(-1), 'RATE_LIMITED', codes.join(', '));
      }
    });
  });
}
