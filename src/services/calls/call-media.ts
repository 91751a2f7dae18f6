import type { Sql } from '../../db/database.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import type { Source } from '../../entities/call.js';
import { callStream } from '../../events/catalogue.js';
import { DomainError, invalidInput } from '../../lib/errors.js';
import { cleanText } from '../../lib/validate.js';
import type { ConsumerInfo, DataConsumerInfo, Direction, DtlsParameters, IceParameters, Layers, RemoteInfo, RtpCapabilities, RtpParameters, SctpStreamParameters, TransportInfo } from '../../media/contract.js';
import { assertCanPublish, assertCanTakeScreen, assertSeated, type Seated } from '../../policies/call-policy.js';
import { PRODUCER_COLUMNS, type ProducerRow } from '../loaders/calls.js';
import { lockCall, placeOf, readCallAccess, type CallAccessWithPlace } from './call-access.js';
import { producersElsewhere } from './call-spread.js';
import { actorIdOf, type CallCaller } from './caller.js';
import type { AskedMethod, MediaGateway } from './media-gateway.js';
import type { Media } from '../../media/contract.js';

/** Dictionaries of WebRTC are the client's; a large one is no dictionary. */
const MAX_DICTIONARY_BYTES = 32_768;
const MAX_LABEL_BYTES = 256;
/** mediasoup's own bounds of layers. */
const MAX_LAYER = 8;

export interface ProduceInput {
  transportId: string;
  kind: 'AUDIO' | 'VIDEO';
  rtpParameters: unknown;
  source: Source;
  paused: boolean;
  appData: unknown;
}

type Rest<Name extends AskedMethod> = Parameters<Media[Name]> extends [string, string, ...infer Others] ? Others : never;
type Placed = Seated & CallAccessWithPlace & { seat: Seated['seat'] };

/** What people in a call send and receive. Asks media outside of transactions; what everybody must know of it is a row with its event. */
export class CallMedia {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly gateway: MediaGateway,
  ) {}

  /** Errors of every verb here: NOT_FOUND (the call; a foreign or forged id), FORBIDDEN (not in the call), STATE_CONFLICT (over, another device), LIMIT_REACHED, INVALID_INPUT, CALLS_UNAVAILABLE. */
  async createTransport(caller: CallCaller, callId: string, options: { direction: Direction; sctp: boolean; forceTcp: boolean }): Promise<TransportInfo> {
    return this.#ask(caller, callId, 'createTransport', options);
  }

  async connectTransport(caller: CallCaller, callId: string, transportId: string, dtlsParameters: unknown): Promise<void> {
    await this.#ask(caller, callId, 'connectTransport', transportId, dictionary<DtlsParameters>(dtlsParameters, 'dtlsParameters'));
  }

  async restartIce(caller: CallCaller, callId: string, transportId: string): Promise<IceParameters> {
    return this.#ask(caller, callId, 'restartIce', transportId);
  }

  /** What went through it ends with it. */
  async closeTransport(caller: CallCaller, callId: string, transportId: string): Promise<void> {
    await this.#ask(caller, callId, 'closeTransport', transportId);
  }

  /** Sends a microphone, a camera, or a screen. FORBIDDEN for a listener, and for what the host has muted; STATE_CONFLICT while somebody else shares a screen. */
  async produce(caller: CallCaller, callId: string, input: ProduceInput): Promise<ProducerRow> {
    const rtpParameters = dictionary<RtpParameters>(input.rtpParameters, 'rtpParameters');
    const appData = input.appData == null ? {} : dictionary<Record<string, unknown>>(input.appData, 'appData', 1_024);
    const isVideo = input.source === 'CAMERA' || input.source === 'SCREEN';
    if (isVideo !== (input.kind === 'VIDEO')) throw invalidInput('source', `${input.source} is not of the kind ${input.kind}.`);
    const { access, node } = await this.#place(caller, callId);
    assertCanPublish(access, input.source);
    if (input.source === 'SCREEN') assertCanTakeScreen(access, await this.#sharer(this.sql, callId));
    const producer = await this.gateway.ask(node, 'produce', callId, access.seat.id, input.transportId, {
      kind: isVideo ? 'video' : 'audio', rtpParameters, source: input.source, paused: input.paused, appData,
    });
    const close = () => this.gateway.ask(node, 'closeProducer', callId, access.seat.id, producer.id).catch(() => undefined);
    try {
      const replaced = await this.#keep(caller, callId, node, 'produce', async (tx, seat) => {
        assertCanPublish(seat, input.source);
        const taken = input.source === 'SCREEN' ? await this.#takeScreen(tx, seat, callId) : null;
        await insertProducer(tx, { id: producer.id, callId, participantId: seat.seat.id, kind: input.kind, source: input.source, label: null, protocol: null, appData, paused: producer.paused });
        return taken;
      });
      if (replaced?.node) await this.gateway.ask(replaced.node, 'closeProducer', callId, replaced.participantId, replaced.id).catch(() => undefined);
    } catch (error) {
      await close();
      throw error;
    }
    return this.#producer(producer.id);
  }

  async closeProducer(caller: CallCaller, callId: string, producerId: string): Promise<void> {
    await this.#stop(caller, callId, producerId, 'closeProducer');
  }

  /** Pausing is anybody's; going on isn't, with what the host has muted. */
  async setProducerPaused(caller: CallCaller, callId: string, producerId: string, paused: boolean): Promise<ProducerRow> {
    const { access, node } = await this.#place(caller, callId);
    const row = await this.#own(this.sql, callId, access.seat.id, producerId);
    if (!paused) assertCanPublish(access, row.source);
    await this.gateway.ask(node, 'setProducerPaused', callId, access.seat.id, producerId, paused);
    const kept = await this.#keep(caller, callId, node, 'setProducerPaused', async (tx, seat) => {
      if (!paused && row.source && seat.seat.mutedSources.includes(row.source)) return false;
      const changed = await tx.sql('update call_producers set paused = $3 where id = $1 and participant_id = $2 and paused <> $3 returning 1', [producerId, seat.seat.id, paused]);
      if (changed.length) tx.append(callStream(callId), { kind: 'producer.updated', producerId, participantId: seat.seat.id });
      return true;
    });
    if (!kept) {
      await this.gateway.ask(node, 'setProducerPaused', callId, access.seat.id, producerId, true);
      throw new DomainError('FORBIDDEN', 'The host does not let you send this.');
    }
    return this.#producer(producerId);
  }

  async consume(caller: CallCaller, callId: string, input: { transportId: string; producerId: string; rtpCapabilities: unknown; paused: boolean }): Promise<ConsumerInfo> {
    const rtpCapabilities = dictionary<RtpCapabilities>(input.rtpCapabilities, 'rtpCapabilities');
    const { access, node } = await this.#place(caller, callId);
    return this.gateway.ask(node, 'consume', callId, access.seat.id, { ...input, rtpCapabilities, ...(await this.#elsewhere(access, node, input.producerId)) });
  }

  async closeConsumer(caller: CallCaller, callId: string, consumerId: string): Promise<void> {
    await this.#ask(caller, callId, 'closeConsumer', consumerId);
  }

  async setConsumerPaused(caller: CallCaller, callId: string, consumerId: string, paused: boolean): Promise<void> {
    await this.#ask(caller, callId, 'setConsumerPaused', consumerId, paused);
  }

  async setPreferredLayers(caller: CallCaller, callId: string, consumerId: string, layers: Layers): Promise<void> {
    for (const [name, value] of Object.entries(layers) as [string, number][]) {
      if (!Number.isInteger(value) || value < 0 || value > MAX_LAYER) throw invalidInput(`${name}Layer`, `A layer is a number from 0 to ${MAX_LAYER}.`);
    }
    await this.#ask(caller, callId, 'setPreferredLayers', consumerId, layers);
  }

  async requestKeyFrame(caller: CallCaller, callId: string, consumerId: string): Promise<void> {
    await this.#ask(caller, callId, 'requestKeyFrame', consumerId);
  }

  async produceData(caller: CallCaller, callId: string, transportId: string, input: { sctpStreamParameters: unknown; label: string; protocol: string }): Promise<ProducerRow> {
    const sctpStreamParameters = dictionary<SctpStreamParameters>(input.sctpStreamParameters, 'sctpStreamParameters');
    const label = cleanText(input.label, { field: 'label', maxBytes: MAX_LABEL_BYTES, minLength: 0 });
    const protocol = cleanText(input.protocol, { field: 'protocol', maxBytes: MAX_LABEL_BYTES, minLength: 0 });
    const { access, node } = await this.#place(caller, callId);
    assertCanPublish(access, null);
    const made = await this.gateway.ask(node, 'produceData', callId, access.seat.id, transportId, { sctpStreamParameters, label, protocol });
    try {
      await this.#keep(caller, callId, node, 'produceData', async (tx, seat) => {
        await insertProducer(tx, { id: made.id, callId, participantId: seat.seat.id, kind: 'DATA', source: null, label, protocol, appData: null, paused: false });
        return null;
      });
    } catch (error) {
      await this.gateway.ask(node, 'closeDataProducer', callId, access.seat.id, made.id).catch(() => undefined);
      throw error;
    }
    return this.#producer(made.id);
  }

  async closeDataProducer(caller: CallCaller, callId: string, dataProducerId: string): Promise<void> {
    await this.#stop(caller, callId, dataProducerId, 'closeDataProducer');
  }

  async consumeData(caller: CallCaller, callId: string, options: { transportId: string; dataProducerId: string }): Promise<DataConsumerInfo> {
    const { access, node } = await this.#place(caller, callId);
    return this.gateway.ask(node, 'consumeData', callId, access.seat.id, { ...options, ...(await this.#elsewhere(access, node, options.dataProducerId)) });
  }

  async closeDataConsumer(caller: CallCaller, callId: string, dataConsumerId: string): Promise<void> {
    await this.#ask(caller, callId, 'closeDataConsumer', dataConsumerId);
  }

  async #ask<Name extends AskedMethod>(caller: CallCaller, callId: string, method: Name, ...rest: Rest<Name>): Promise<Awaited<ReturnType<Media[Name]>>> {
    const { access, node } = await this.#place(caller, callId);
    return this.gateway.ask(node, method, ...([callId, access.seat.id, ...rest] as unknown as Parameters<Media[Name]>));
  }

  /** Where a producer of a spread call is, if it isn't on the caller's own node. */
  async #elsewhere({ call }: Placed, own: string, producerId: string): Promise<{ elsewhere?: RemoteInfo }> {
    if (!call.spread) return {};
    const [elsewhere] = (await producersElsewhere(this.sql, call.id, own)).filter(({ id }) => id === producerId);
    return elsewhere ? { elsewhere } : {};
  }

  /** The caller's seat, and the process that has it. */
  async #place(caller: CallCaller, callId: string): Promise<{ access: Placed; node: string }> {
    const access = await readCallAccess(this.sql, callId, caller);
    assertSeated(access, caller.device);
    const node = placeOf(access as CallAccessWithPlace);
    if (!node) throw resetMeanwhile();
    return { access: access as Placed, node };
  }

  /** A change that everybody must know of, under the call's lock, while the caller still has the seat. */
  async #keep<Result>(caller: CallCaller, callId: string, node: string, operation: string, work: (tx: Tx, seat: Seated) => Promise<Result>): Promise<Result> {
    return this.unitOfWork.run({ actorId: actorIdOf(caller), operation }, async (tx) => {
      const access = await lockCall(tx.sql, callId, caller);
      assertSeated(access, caller.device);
      if (placeOf(access as CallAccessWithPlace) !== node) throw resetMeanwhile();
      return work(tx, access);
    });
  }

  async #stop(caller: CallCaller, callId: string, producerId: string, method: 'closeProducer' | 'closeDataProducer'): Promise<void> {
    const { access, node } = await this.#place(caller, callId);
    const row = await this.#own(this.sql, callId, access.seat.id, producerId);
    if ((row.kind === 'DATA') !== (method === 'closeDataProducer')) throw noProducer();
    await this.#keep(caller, callId, node, method, async (tx) => {
      const gone = await tx.sql('delete from call_producers where id = $1 returning 1', [producerId]);
      if (gone.length) tx.append(callStream(callId), { kind: 'producer.closed', producerId, participantId: row.participantId });
      return null;
    });
    await this.gateway.ask(node, method, callId, access.seat.id, producerId).catch((error: unknown) => {
      if (!(error instanceof DomainError && error.code === 'NOT_FOUND')) throw error;
    });
  }

  async #sharer(sql: Sql, callId: string): Promise<string | null> {
    const [row] = await sql<{ participantId: string }>(`select participant_id as "participantId" from call_producers where call_id = $1 and source = 'SCREEN'`, [callId]);
    return row?.participantId ?? null;
  }

  /** Under the call's lock: the screen that was shared until now, which gives way. */
  async #takeScreen(tx: Tx, access: Seated, callId: string): Promise<{ id: string; participantId: string; node: string | null } | null> {
    assertCanTakeScreen(access, await this.#sharer(tx.sql, callId));
    const [gone] = await tx.sql<{ id: string; participantId: string; node: string | null }>(
      `delete from call_producers r using call_participants p, calls c where r.call_id = $1 and r.source = 'SCREEN' and p.id = r.participant_id and c.id = r.call_id
       returning r.id, p.id as "participantId", coalesce(p.media_node, c.media_node) as node`,
      [callId],
    );
    if (gone) tx.append(callStream(callId), { kind: 'producer.closed', producerId: gone.id, participantId: gone.participantId });
    return gone ?? null;
  }

  async #own(sql: Sql, callId: string, participantId: string, producerId: string): Promise<ProducerRow> {
    const [row] = await sql<ProducerRow>(`select ${PRODUCER_COLUMNS} from call_producers r where r.id = $1 and r.call_id = $2 and r.participant_id = $3`, [producerId, callId, participantId]);
    if (!row) throw noProducer();
    return row;
  }

  async #producer(id: string): Promise<ProducerRow> {
    const [row] = await this.sql<ProducerRow>(`select ${PRODUCER_COLUMNS} from call_producers r where r.id = $1`, [id]);
    if (!row) throw noProducer();
    return row;
  }
}

const resetMeanwhile = (): DomainError => new DomainError('STATE_CONFLICT', 'The call’s media was reset: join again.');
const noProducer = (): DomainError => new DomainError('NOT_FOUND', 'There is no such producer of yours.', { field: 'producerId' });

export async function insertProducer(tx: Tx, row: ProducerRow): Promise<boolean> {
  const made = await tx.sql(
    'insert into call_producers (id, call_id, participant_id, kind, source, label, protocol, app_data, paused, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (id) do nothing returning 1',
    [row.id, row.callId, row.participantId, row.kind, row.source, row.label, row.protocol, row.appData && JSON.stringify(row.appData), row.paused, tx.now],
  );
  if (made.length) tx.append(callStream(row.callId), { kind: 'producer.added', producerId: row.id, participantId: row.participantId });
  return made.length > 0;
}

/** A dictionary as JSON brings it: an object of a bounded size. Whether it fits is media's question. */
function dictionary<Shape>(value: unknown, field: string, maxBytes = MAX_DICTIONARY_BYTES): Shape {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidInput(field, `${field} is an object.`);
  const text = JSON.stringify(value);
  if (Buffer.byteLength(text) > maxBytes) throw invalidInput(field, `${field} is larger than ${maxBytes} bytes.`);
  if (text.includes('\\u0000')) throw invalidInput(field, `${field} holds NUL characters.`);
  return value as Shape;
}
