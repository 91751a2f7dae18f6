import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { isUnionType } from 'graphql';
import { encodeId } from '../../src/lib/ids.js';
import { buildSchemaForPrinting } from '../../src/resolvers/build-schema.js';
import { Refetch, Replica, type Snapshot } from '../testkit/replica.js';
import { Publisher } from '../testkit/publisher.js';
import { INBOX_KINDS, scenariosOf, type InboxKind, type Scenarios } from '../testkit/scenarios.js';
import { eventually, World, type Person } from '../testkit/world.js';

/** Told, but in no stream's log: state that is read again after a resume, and what a stream says of itself. */
const NOT_LOGGED = ['ReceiptsChanged', 'ViewerReceiptChanged', 'InboxCheckpoint', 'ResyncRequired'];
/** Bob is a person: bot-cards.spec.ts has these. */
const TO_BOTS = ['ButtonPressed', 'FormSubmitted'];

/** All is read anew, which takes dozens of requests, when a replica has had its time to come to what was read before. */
const READ_AGAIN_MS = 200;

describe('state + events = refetch, for every kind of event', function () {
  this.timeout(120_000);
  let world: World;
  let publisher: Publisher;
  let ann: Person;
  let bob: Person;
  let carol: Person;
  let chatId: string;
  /** Always connected, and of the same person one that comes and goes. */
  let live: Replica;
  let resuming: Replica;
  let scenarios: Scenarios;
  before(async () => {
    publisher = await Publisher.start();
    world = await World.start({ nodes: 2, settings: { ...publisher.settings, NEWS: 'true', NEWS_BUILT_IN: 'false', LINK_PREVIEWS: 'true', PUBLIC_URL: 'https://app.example', NOTIFICATIONS: 'true', WEBHOOKS: 'true', FILE_URL_TTL: '60' } });
    ann = await world.person('Ann', 0);
    bob = await world.person('Bob', 1);
    carol = await world.person('Carol', 0);
    chatId = await world.groupChat(ann, [bob]);
    await world.say(ann, chatId, 'the first');
    scenarios = scenariosOf({ world, ann, bob, carol, chatId, publisher });
    live = await Replica.open(bob);
    resuming = await Replica.open(bob);
  });
  after(async () => {
    await live?.disconnect();
    await resuming?.disconnect();
    await world.stop();
    await publisher.stop();
  });

  // A call that rang on would be missed in the middle of somebody else's comparison.
  afterEach(async () => {
    const going = await world.sql<{ id: string }>('select id from calls where ended_at is null');
    for (const { id } of going) await ann.api.endCall({ input: { callId: encodeId('Call', id) } });
  });

  interface Reading {
    truth: Snapshot;
    at: number;
  }
  const read = async (): Promise<Reading> => ({ truth: (await new Refetch(bob).read()).snapshot(), at: performance.now() });

  /** Waits until a replica shows what is read, at first what was read before where that is told. Answers what it agreed with. */
  async function agree(replica: Replica, what: string, before?: Reading): Promise<Reading> {
    let last = before ? { ...before, at: performance.now() } : await read();
    const same = async () => {
      if (replica.failure) throw replica.failure;
      if (isDeepStrictEqual(replica.snapshot(), last.truth)) return true;
      if (performance.now() - last.at > READ_AGAIN_MS) last = await read();
      return false;
    };
    // A replica reads for itself what some events only name: on a busy machine that takes seconds.
    await eventually(same, what, 15_000).catch((error: unknown) => {
      assert.deepEqual(replica.snapshot(), last.truth, what);
      throw error;
    });
    return last;
  }

  for (const kind of INBOX_KINDS) {
    it(kind, async () => {
      const before = await heads();
      await resuming.disconnect();
      await scenarios[kind]();
      const logged = await world.sql<{ kind: string }>('select distinct kind from events e where pos > coalesce(($1::jsonb ->> stream)::bigint, 0)', [JSON.stringify(before)]);
      assert.ok(logged.some((row) => row.kind === kind), `the scenario made no ${kind}, but ${logged.map((row) => row.kind).join(', ')}`);
      const seen = await agree(live, 'as it happened');
      resuming.connect();
      await agree(resuming, 'after a resume', seen);
    });
  }

  async function heads(): Promise<Record<string, number>> {
    const rows = await world.sql<{ id: string; head: string }>('select id, head from streams');
    return Object.fromEntries(rows.map((row) => [row.id, Number(row.head)]));
  }

  it('all of it again, at once, while one device comes and goes', async () => {
    const end = { reached: false };
    const restless = (async () => {
      while (!end.reached) {
        await resuming.disconnect();
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 80));
        resuming.connect();
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 120));
      }
    })();
    const both: InboxKind[] = ['message.sent', 'message.updated', 'message.deleted', 'reactions.changed', 'pins.changed', 'member.left', 'chat.added', 'chat.removed', 'message.marks', 'chat.settings', 'group.changed'];
    await Promise.all(both.map((kind) => scenarios[kind]()));
    end.reached = true;
    await restless;
    await agree(live, 'as it happened');
    await agree(resuming, 'after many resumes');
  });

  it('a device that reads everything only now sees the same', async () => {
    const late = await Replica.open(bob);
    await agree(late, 'read anew');
    assert.deepEqual(late.snapshot(), live.snapshot());
    await late.disconnect();
  });

  it('every event that a subscription can bring has been brought', () => {
    const union = buildSchemaForPrinting().getType('InboxEvent');
    assert.ok(isUnionType(union));
    const names = union.getTypes().map((type) => type.name);
    assert.deepEqual(names.filter((name) => !NOT_LOGGED.includes(name) && !TO_BOTS.includes(name) && !(live.seen.has(name) && resuming.seen.has(name))), []);
  });
});
