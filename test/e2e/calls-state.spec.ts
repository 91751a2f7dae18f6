import assert from 'node:assert/strict';
import { isUnionType } from 'graphql';
import type { CallEvent } from '../../sdk/index.js';
import type { CallEventRef } from '../../src/events/catalogue.js';
import { buildSchemaForPrinting } from '../../src/resolvers/build-schema.js';
import { guestOf, PASSING, Seat, secondDevice, startCall, uuidOf } from '../testkit/calls.js';
import { openShop, sell } from '../testkit/commerce.js';
import { eventually, World, type Person } from '../testkit/world.js';

type Kind = CallEventRef['kind'];

/** What a client knows of a call: by reading it, or by reading it once and then by events alone. */
class CallState {
  fields: unknown = null;
  host: string | null = null;
  showcase: unknown = null;
  readonly people = new Map<string, unknown>();
  readonly producers = new Map<string, { participantId: string }>();
  readonly seen = new Set<string>();
  heard = 0;

  async read(person: Pick<Person, 'api'>, callId: string): Promise<this> {
    const { call } = await person.api.call({ id: callId });
    const { eventCursor: _cursor, host, viewerState: _own, showcase, ...fields } = call!;
    this.fields = fields;
    this.host = host?.id ?? null;
    this.showcase = showcase;
    const page = (await person.api.callParticipants({ id: callId, states: ['RINGING', 'WAITING', 'JOINED', 'BUSY', 'DECLINED', 'MISSED', 'LEFT', 'REMOVED'], first: 100 })).call!.participants;
    for (const { node: { producers, ...participant } } of page.edges) {
      this.people.set(participant.id, shown(participant));
      for (const producer of producers) this.producers.set(producer.id, producer);
    }
    return this;
  }

  apply(event: CallEvent): void {
    this.seen.add(event.__typename);
    this.heard++;
    switch (event.__typename) {
      case 'CallUpdated':
      case 'CallRecordingChanged':
        this.fields = event.call;
        return;
      case 'CallShowcaseChanged':
        this.showcase = event.call.showcase;
        return;
      case 'CallMediaReset':
        this.producers.clear();
        this.fields = event.call;
        return;
      case 'CallEnded':
        this.fields = event.call;
        this.host = null;
        this.producers.clear();
        // Whoever was in it has left with it.
        for (const [id, one] of this.people as Map<string, { state: string }>) {
          if (one.state === 'JOINED' || one.state === 'WAITING') this.people.set(id, { ...one, state: 'LEFT', connected: false, leftAt: event.call.endedAt });
        }
        return;
      case 'CallHostChanged':
        this.host = event.participantId;
        this.people.set(event.participantId, shown(event.participant));
        return;
      case 'ParticipantLeft':
      case 'ParticipantRemoved':
        for (const [id, { participantId }] of this.producers) if (participantId === event.participantId) this.producers.delete(id);
        this.people.set(event.participantId, shown(event.participant));
        return;
      case 'ParticipantWaiting':
      case 'ParticipantAdmitted':
      case 'ParticipantJoined':
      case 'ParticipantUpdated':
      case 'ParticipantMoved':
      case 'ParticipantMuted':
        this.people.set(event.participantId, shown(event.participant));
        return;
      case 'ProducerAdded':
      case 'ProducerUpdated':
        if (event.producer) this.producers.set(event.producerId, event.producer);
        return;
      case 'ProducerClosed':
        this.producers.delete(event.producerId);
        return;
      case 'ResyncRequired':
      case 'CallAudioLevels':
      case 'DominantSpeakerChanged':
      case 'CallConsumerChanged':
      case 'CallTransportChanged':
        return;
    }
  }

  snapshot(): unknown {
    const sorted = (map: Map<string, unknown>) => [...map].sort(([x], [y]) => (x < y ? -1 : 1));
    return { fields: this.fields, host: this.host, showcase: this.showcase, people: sorted(this.people), producers: sorted(this.producers) };
  }
}

/** Of the role another's event tells: a host who hands on is told of by CallHostChanged. */
const shown = ({ role: _role, ...participant }: { role: string }) => participant;

describe('state + events = refetch, in a call', function () {
  this.timeout(30_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  let carol: Person;
  const seen = new Set<string>();
  before(async () => {
    world = await World.start();
    [ann, bob, carol] = await world.people('Ann', 'Bob', 'Carol');
  });
  after(() => world.stop());

  interface Stage {
    callId: string;
    a: Seat;
    b: Seat;
  }
  const joinCarol = async ({ callId }: Stage) => Seat.take(carol, callId);

  /** What happens in a call whose host Ann is, with Bob in it, who watches. The compiler asks for one of each kind. */
  const scenarios: Record<Kind, (stage: Stage) => Promise<void>> = {
    'call.updated': async ({ callId }) => void (await ann.api.updateCall({ input: { callId, locked: true, screenShare: 'HOST' } })),
    'participant.waiting': async (stage) => {
      await ann.api.updateCall({ input: { callId: stage.callId, lobby: true } });
      await joinCarol(stage);
    },
    'participant.admitted': async (stage) => {
      await ann.api.updateCall({ input: { callId: stage.callId, lobby: true } });
      const c = await joinCarol(stage);
      await ann.api.admitParticipant({ input: { callId: stage.callId, participantId: c.participantId } });
    },
    'participant.joined': async (stage) => {
      await joinCarol(stage);
      await Seat.take(await guestOf(world, ann, stage.callId), stage.callId);
    },
    'participant.updated': async (stage) => {
      await ann.api.ringCall({ input: { callId: stage.callId, userIds: [carol.id] } });
      await carol.api.declineCall({ input: { callId: stage.callId } });
      const c = await joinCarol(stage);
      await c.linked(world);
      c.events.close();
      await eventually(async () => (await world.sql('select from call_participants where id = $1 and lost_at is not null', [uuidOf(c.participantId)])).length === 1, 'she is lost');
      c.follow();
      await c.linked(world);
    },
    'participant.moved': async ({ callId, a }) => {
      await a.produce(await a.transport('SEND'));
      await Seat.take(await secondDevice(world, 'ann'), callId, { takeOver: true });
    },
    'participant.muted': async (stage) => {
      const c = await joinCarol(stage);
      await c.produce(await c.transport('SEND'));
      await ann.api.muteParticipant({ input: { callId: stage.callId, participantId: c.participantId, hold: true } });
    },
    'participant.left': async (stage) => {
      const c = await joinCarol(stage);
      await c.produce(await c.transport('SEND'));
      await c.leave();
    },
    'participant.removed': async (stage) => {
      const c = await joinCarol(stage);
      await c.produce(await c.transport('SEND'));
      await ann.api.removeParticipant({ input: { callId: stage.callId, participantId: c.participantId } });
    },
    'host.changed': async (stage) => {
      const c = await joinCarol(stage);
      await ann.api.transferCallHost({ input: { callId: stage.callId, participantId: c.participantId } });
      await c.leave();
    },
    'producer.added': async ({ a }) => {
      const send = await a.transport('SEND');
      await a.produce(send);
      await a.produce(send, 'CAMERA');
      await a.produce(send, 'SCREEN');
    },
    'producer.updated': async ({ callId, a }) => {
      const producerId = await a.produce(await a.transport('SEND'));
      for (const paused of [true, false, true]) await ann.api.setProducerPaused({ input: { callId, producerId, paused } });
    },
    'producer.closed': async ({ callId, a }) => {
      const send = await a.transport('SEND');
      const producerId = await a.produce(send);
      await a.produce(send, 'CAMERA');
      await ann.api.closeProducer({ input: { callId, producerId } });
    },
    'recording.changed': async ({ callId }) => {
      await ann.api.startRecording({ input: { callId } });
      await bob.api.consentToRecording({ input: { callId, consent: true } });
    },
    'showcase.changed': async ({ callId }) => {
      const shop = await openShop(world, ann);
      const [tea, cup] = [await sell(world, shop, 'Tea'), await sell(world, shop, 'Cup')];
      for (const [{ id: productId }, shown] of [[tea, true], [cup, true], [tea, true], [cup, false]] as const) await ann.api.showcaseProduct({ input: { callId, productId, shown } });
    },
    'media.reset': async ({ callId, a }) => {
      await a.produce(await a.transport('SEND'));
      world.media[0]!.reset(uuidOf(callId));
      await eventually(async () => (await world.sql('select from call_producers where call_id = $1', [uuidOf(callId)])).length === 0, 'it is reset');
    },
    'call.over': async (stage) => {
      const c = await joinCarol(stage);
      await c.produce(await c.transport('SEND'));
      await ann.api.endCall({ input: { callId: stage.callId } });
    },
  };

  for (const [kind, scenario] of Object.entries(scenarios)) {
    it(kind, async () => {
      const callId = await startCall(world, ann, await world.groupChat(ann, [bob, carol]), { ring: false });
      const [a, b] = [await Seat.take(ann, callId), await Seat.take(bob, callId)];
      await a.linked(world);
      await b.linked(world);
      const live = await new CallState().read(bob, callId);
      const late = new CallState();
      Object.assign(late, { fields: live.fields, host: live.host, showcase: live.showcase });
      for (const [id, one] of live.people) late.people.set(id, one);
      const cursor = (await bob.api.call({ id: callId })).call!.eventCursor;
      const logged = async () => Number((await world.sql<{ n: string }>('select count(*) n from events where stream = $1', [`call:${uuidOf(callId)}`]))[0]!.n);
      const before = await logged();
      const follow = (state: CallState) => {
        const stream = bob.client.callEvents(callId, cursor);
        const reading = (async () => {
          for await (const event of stream) if (!PASSING.includes(event.__typename)) state.apply(event);
        })();
        return { stream, reading };
      };
      const following = follow(live);
      await scenario({ callId, a, b });
      const kinds = await world.sql<{ kind: string }>('select distinct kind from events where stream = $1', [`call:${uuidOf(callId)}`]);
      assert.ok(kinds.some((row) => row.kind === kind), `the scenario made no ${kind}, but ${kinds.map((row) => row.kind).join(', ')}`);
      const written = (await logged()) - before;
      const agree = async (state: CallState, what: string) => {
        // Some events change nothing that is compared: that all have come is waited for by itself.
        await eventually(() => state.heard >= written, `${written} events have come ${what}`);
        const truth = async () => (await new CallState().read(bob, callId)).snapshot();
        await eventually(async () => {
          try {
            assert.deepEqual(state.snapshot(), await truth());
            return true;
          } catch {
            return false;
          }
        }, what).catch(() => undefined);
        assert.deepEqual(state.snapshot(), await truth(), what);
      };
      await agree(live, 'as it happened');
      const resumed = follow(late);
      await agree(late, 'by a replay');
      for (const name of live.seen) if (late.seen.has(name)) seen.add(name);
      for (const { stream } of [following, resumed]) stream.close();
      // In the next scenario nobody is busy.
      for (const person of [ann, carol]) await person.api.endCall({ input: { callId } }).catch(() => undefined);
    });
  }

  it('every event that has a place in the stream has been brought', () => {
    const union = buildSchemaForPrinting().getType('CallEvent');
    assert.ok(isUnionType(union));
    const names = union.getTypes().map((type) => type.name);
    assert.deepEqual(names.filter((name) => ![...PASSING, 'ResyncRequired'].includes(name) && !seen.has(name)), []);
  });
});
