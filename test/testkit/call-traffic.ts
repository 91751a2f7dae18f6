import assert from 'node:assert/strict';
import { joinCall, type CallSession } from '../../sdk/calls.js';
import { OmniTalkError, type OmniTalk } from '../../sdk/index.js';
import { CallView, passes, patiently, seatedIn } from './call-view.js';
import { FakeDevice, FakeTrack } from './fake-device.js';
import { Inspector } from './inspector.js';
import { eventually } from './media.js';
import { mediaWorkersOf } from './media-processes.js';
import type { Stage } from './stage.js';

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
/** A seat is kept for 30 s (docs/CALLS.md). */
const SEAT_KEPT_MS = 31_000;
const code = (error: unknown): string => (error instanceof OmniTalkError ? error.code : String(error));

/** Somebody who stays in the chat's call, whatever happens to it, and joins it again, or starts another, when it is over for them. */
class Sitter {
  session: CallSession | null = null;
  view: CallView | null = null;
  /** How often the seat was taken, and how each stay ended. */
  readonly ends = new Map<string, number>();
  #stopped = false;
  #stop!: () => void;
  readonly #asked = new Promise<void>((resolve) => (this.#stop = resolve));
  readonly done: Promise<void>;

  constructor(
    private readonly stage: Stage,
    readonly client: OmniTalk,
  ) {
    this.done = this.#stay();
    this.done.catch(() => undefined); // met by "check"
  }

  /** Sits on, and comes back no more. */
  stop(): void {
    this.#stopped = true;
    this.#stop();
  }

  async #stay(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#sit();
      } catch (error) {
        // Another has started a call, or this one is over, or the seat is given up: a server that is away for longer than a seat is kept takes it along.
        const expected = passes(error) || ['STATE_CONFLICT', 'FORBIDDEN', 'ACCESS_REVOKED'].includes(code(error));
        if (!expected) throw error;
        this.#ended(code(error));
      }
      await pause(100);
    }
  }

  async #sit(): Promise<void> {
    const callId = (await activeCall(this.client, this.stage.chatId)) ?? (await this.#start());
    const session = await joinCall(this.client, { callId, Device: FakeDevice });
    this.session = session;
    this.view = CallView.of(this.client, callId);
    try {
      await this.#send(session);
      const end = await Promise.race([session.ended, this.#asked]);
      if (end === undefined) return;
      this.#ended(code(end));
      if (end instanceof OmniTalkError) throw end;
    } finally {
      if (!this.#stopped) this.view.close();
    }
  }

  /** What passes, and what was overtaken by an end of the media, is tried again. */
  async #send(session: CallSession): Promise<void> {
    const over = () => session.state === 'ENDED' || this.#stopped;
    while (!over()) {
      try {
        return await session.send(new FakeTrack('audio'));
      } catch (error) {
        if (!over() && !passes(error) && !['STATE_CONFLICT', 'NOT_FOUND'].includes(code(error))) throw error;
        await pause(200);
      }
    }
  }

  async #start(): Promise<string> {
    const { stage, client } = this;
    const idempotencyKey = stage.key();
    return (await patiently(() => client.api.startCall({ input: { chatId: stage.chatId, kind: 'VIDEO', ring: false, idempotencyKey } }))).startCall.call.id;
  }

  #ended(why: string): void {
    this.ends.set(why, (this.ends.get(why) ?? 0) + 1);
  }
}

const activeCall = async ({ api }: OmniTalk, chatId: string): Promise<string | null> => (await api.activeCall({ chatId })).chat?.activeCall?.id ?? null;

/**
 * A call over both nodes of a stage: two people sit in it, each by a node, and a third comes and goes by either, with a leave or without a word. Everybody is a client by
 * the SDK: transports, producers and consumers are real, packets there are none.
 */
export class CallTraffic {
  readonly #sitters: Sitter[];
  /** How often somebody came. */
  visits = 0;
  #vanished = false;
  #clients: OmniTalk[] = [];

  private constructor(private readonly stage: Stage) {
    const [ann, , carol] = stage.members;
    this.#sitters = [new Sitter(stage, ann!.devices[0].client), new Sitter(stage, carol!.devices[1].client)];
  }

  static begin(stage: Stage): CallTraffic {
    return new CallTraffic(stage);
  }

  /** How often the seats were taken anew. */
  get returns(): number {
    return this.#sitters.reduce((sum, { ends }) => [...ends.values()].reduce((all, count) => all + count, sum), 0);
  }

  /** Somebody comes by one of their devices, sends, receives and goes: by leaving, or as a device does that is switched off. */
  async visit(): Promise<void> {
    const { stage } = this;
    const turn = this.visits++;
    const device = stage.members[1]!.devices[turn % 2]!;
    const callId = await activeCall(device.client, stage.chatId);
    if (!callId) return;
    const client = device.client.at(stage.doors[(turn + 1) % 2]!.url);
    this.#clients.push(client);
    let session: CallSession | null = null;
    try {
      session = await joinCall(client, { callId, Device: FakeDevice, takeOver: true });
      this.#vanished = true;
      await session.send(new FakeTrack('audio'));
      if (turn % 3 === 0) await session.send(new FakeTrack('video'));
      await pause(150);
    } catch (error) {
      if (!passes(error) && !['STATE_CONFLICT', 'FORBIDDEN', 'NOT_FOUND'].includes(code(error))) throw error;
    } finally {
      if (session && Math.random() < 0.6) {
        await session.leave().catch(() => undefined);
        // Whether that was heard is not known: it is said until it is.
        await patiently(() => client.api.leaveCall({ input: { callId } }));
        this.#vanished = false;
      }
      await client.close();
      this.#clients = this.#clients.filter((one) => one !== client);
    }
  }

  /** After the last visit: what there is of the call is the same for everybody, nobody is in it who went, and nothing is left of it when it has ended. */
  async check(patience: number): Promise<void> {
    const { stage } = this;
    await this.#assertGone(patience);
    await eventually(() => this.#assertAgreed(), patience);
    for (const sitter of this.#sitters) sitter.stop();
    await Promise.all(this.#sitters.map(({ done }) => done));
    const [ann, carol] = this.#sitters as [Sitter, Sitter];
    if (Math.random() < 0.5) await patiently(() => ann.client.api.endCall({ input: { callId: ann.session!.callId } }));
    else for (const { client, session } of [carol, ann]) await patiently(() => client.api.leaveCall({ input: { callId: session!.callId } }));
    await eventually(() => assertNothingLeft(stage), patience);
  }

  /** Lets go of everything, whatever came of it. */
  async end(): Promise<void> {
    for (const sitter of this.#sitters) sitter.stop();
    for (const { done, session, view } of this.#sitters) {
      await done.catch(() => undefined);
      view?.close();
      await session?.leave().catch(() => undefined);
    }
    await Promise.all(this.#clients.splice(0).map((client) => client.close()));
  }

  /** Whoever went without a word is out of the call by the time that is documented. The clock of one server goes ahead by it. */
  async #assertGone(patience: number): Promise<void> {
    const { stage } = this;
    const { client } = this.#sitters[0]!;
    const bob = stage.members[1]!.id;
    const seat = async () => {
      const callId = await activeCall(client, stage.chatId);
      const edges = callId ? (await client.api.callParticipants({ id: callId, states: ['JOINED'], first: 100 })).call!.participants.edges : [];
      return edges.map(({ node }) => node).find(({ user }) => user?.id === bob);
    };
    if (!this.#vanished) {
      assert.equal(await patiently(seat), undefined, 'who left is in the call');
      return;
    }
    await eventually(async () => assert.notEqual((await seat())?.connected, true, 'who went is still shown as connected'), patience);
    await stage.setClock(1, SEAT_KEPT_MS);
    try {
      await eventually(async () => assert.equal(await seat(), undefined, 'who went is still in the call after 30 s'), patience);
    } finally {
      await stage.setClock(1, 0);
    }
  }

  async #assertAgreed(): Promise<void> {
    const { stage } = this;
    const callId = await activeCall(this.#sitters[0]!.client, stage.chatId);
    assert.ok(callId, 'there is a call');
    const [here, there] = await Promise.all(this.#sitters.map(({ client }) => seatedIn(client, callId)));
    assert.deepEqual(here, there, 'either node says the same');
    for (const { session, view, ends } of this.#sitters) {
      const story = JSON.stringify([...ends]);
      assert.equal(session?.callId, callId, `each is in the call that there is; ${story}`);
      assert.equal(session.state, 'CONNECTED', story);
      assert.deepEqual(view!.seated, here, `who follows the events knows of the same (${String(view!.ended)})`);
      const mine = session.participant.id;
      assert.deepEqual([...session.remote.keys()].sort(), here!.filter(({ id }) => id !== mine).flatMap(({ producers }) => producers).sort(), 'each receives what the others send');
    }
    assert.deepEqual(here!.map(({ id, connected, producers }) => [id, connected, producers.length]), this.#sitters.map(({ session }) => [session!.participant.id, true, 1]).sort(), 'those who sit, each with a microphone');
    for (const { session, client } of this.#sitters) {
      const { joinCall: joined } = await client.api.joinCall({ input: { callId } });
      const { own } = joined;
      const sent = here!.find(({ id }) => id === session!.participant.id)!.producers;
      assert.deepEqual(own.producers.map(({ id }) => id), sent);
      assert.deepEqual(own.consumers.map(({ producerId }) => producerId).sort(), [...session!.remote.keys()].sort());
      assert.deepEqual(own.transports.map(({ direction }) => direction).sort(), ['RECEIVE', 'SEND']);
    }
  }
}

/** No call, seat, stream or link in the database, no room on a node, and nothing in a media worker. */
export async function assertNothingLeft(stage: Stage): Promise<void> {
  const rows = await stage.sql<object>(
    `select 'call' as what, id from calls where state <> 'ENDED' or media_node is not null
     union all select 'seat', id from call_participants where state in ('JOINED', 'WAITING', 'RINGING') or link_node is not null or media_node is not null or seat_until is not null
     union all select 'producer', id from call_producers
     union all select 'node', id from call_nodes where lease_until < now()`,
  );
  assert.deepEqual(rows, [], 'in the database');
  for (const [index, server] of stage.servers.entries()) {
    const inspector = await Inspector.open(server);
    try {
      assert.deepEqual(await inspector.evaluate('mediaWorkers()'), [{ routers: 0, handlers: 0, transports: 0, fragments: 0 }], `in the media worker of server ${index}`);
    } finally {
      inspector.close();
    }
    assert.equal(mediaWorkersOf(server.pid).length, 1, `media workers of server ${index}`);
    const text = await (await fetch(server.url.replace('/graphql', '/metrics'), { headers: { connection: 'close' } })).text();
    const figures = ['rooms', 'peers', 'consumers', 'borrowed', 'lent'].map((name) => new RegExp(`^omnitalk_media_${name} (\\S+)$`, 'm').exec(text)?.[1]);
    assert.deepEqual(figures, ['0', '0', '0', '0', '0'], `at /metrics of server ${index}`);
  }
}

