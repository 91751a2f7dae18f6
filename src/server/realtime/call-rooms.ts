import type { Bus, BusHandler } from '../../events/bus.js';
import { encodeId } from '../../lib/ids.js';
import { callNewsTopic, type CallNews } from '../../services/calls/call-feed.js';
import { EphemeralEvent, type Outbox } from './outbox.js';

export interface CallWatcher {
  participantId: string;
  outbox: Outbox;
  /** Nothing passes into the lobby. */
  hears(): boolean;
}

interface Room {
  watchers: Set<CallWatcher>;
  handler: BusHandler;
  ready: Promise<void>;
}

const consumer = (id: string): string => encodeId('CallConsumer', id);
const participant = (id: string): string => encodeId('CallParticipant', id);
const producer = (id: string): string => encodeId('CallProducer', id);

/** What passes in a call (levels, who speaks, how a stream comes through), for those in this process who follow it: the newest of each, never all. */
export class CallRooms {
  readonly #rooms = new Map<string, Room>();

  constructor(private readonly bus: Bus) {}

  /** Answers how to leave again. */
  async enter(callId: string, watcher: CallWatcher): Promise<() => void> {
    let room = this.#rooms.get(callId);
    if (!room) {
      const watchers = new Set<CallWatcher>();
      const handler: BusHandler = (message) => pass(callId, message as CallNews, watchers);
      this.#rooms.set(callId, (room = { watchers, handler, ready: this.bus.subscribe(callNewsTopic(callId), handler) }));
    }
    const entered = room;
    entered.watchers.add(watcher);
    await entered.ready;
    return () => {
      if (!entered.watchers.delete(watcher) || entered.watchers.size || this.#rooms.get(callId) !== entered) return;
      this.#rooms.delete(callId);
      this.bus.unsubscribe(callNewsTopic(callId), entered.handler);
    };
  }

  close(): void {
    for (const [callId, { handler }] of this.#rooms) this.bus.unsubscribe(callNewsTopic(callId), handler);
    this.#rooms.clear();
  }
}

function pass(callId: string, news: CallNews, watchers: ReadonlySet<CallWatcher>): void {
  const event = new EphemeralEvent({ ...shown(news), callId: encodeId('Call', callId) });
  const subject = news.type === 'consumer' ? news.consumerId : news.type === 'transport' ? news.transportId : news.type;
  for (const watcher of watchers) if (watcher.hears() && (!('to' in news) || news.to === watcher.participantId)) watcher.outbox.offer(subject, event);
}

function shown(news: CallNews): object {
  switch (news.type) {
    case 'levels':
      return { __typename: 'CallAudioLevels', levels: news.levels.map((one) => ({ participantId: participant(one.participantId), producerId: producer(one.producerId), level: one.level })) };
    case 'speaker':
      return { __typename: 'DominantSpeakerChanged', participantId: participant(news.participantId), producerId: producer(news.producerId) };
    case 'consumer': {
      const { consumerId, producerId, paused, producerPaused, layers, score } = news;
      return { __typename: 'CallConsumerChanged', consumerId: consumer(consumerId), producerId: producer(producerId), paused, producerPaused, spatialLayer: layers?.spatial ?? null, temporalLayer: layers?.temporal ?? null, score };
    }
    case 'transport':
      return { __typename: 'CallTransportChanged', transportId: encodeId('CallTransport', news.transportId), state: news.state };
  }
}
