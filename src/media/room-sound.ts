import type { Producer } from 'mediasoup/types';
import type { Heard, MediaEvents } from './contract.js';
import type { Segment } from './segment.js';

type Levels = MediaEvents['audioLevels']['levels'];

const LEAST_INTERVAL_MS = 400;
const MOST_LEVELS = 12;
/** How many times in a row another place's speaker must be the loudest of the room before the floor passes. */
const TURNS_TO_TAKE_OVER = 2;
const SILENCE_DBOV = -127;

export interface SoundListener {
  ownerOf(producerId: string): string | undefined;
  levels(levels: Levels): void;
  speaker(speaker: { peerId: string; producerId: string }): void;
}

/** What another node has told is true for so long: it tells it anew while somebody is heard there. */
const REMOTE_MS = 2_000;

/** A segment, or the id of another node. */
type Place = Segment | string;

/**
 * Who is heard and who has the floor, over all segments of a room, and all nodes that it is on. Each segment's worker measures its own seats alone; what
 * it says is put together here, without a timer: the first segment that speaks up after the interval speaks for all.
 */
export class RoomSound {
  readonly #listener: SoundListener;
  readonly #heard = new Map<Place, { levels: Levels; until: number }>();
  readonly #candidates = new Map<Place, string>();
  #lastTold = -Infinity;
  #silent = true;
  #floor: string | undefined;
  #challenger: { producerId: string; turns: number } | undefined;

  constructor(listener: SoundListener) {
    this.#listener = listener;
  }

  add(segment: Segment): void {
    segment.levels.on('volumes', (volumes) => {
      this.#hear(segment, volumes.flatMap(({ producer, volume }) => this.#level(producer, volume)), Infinity);
    });
    segment.levels.on('silence', () => this.#hear(segment, [], Infinity));
    segment.speaker.on('dominantspeaker', ({ producer }) => this.#nominate(segment, producer.id));
  }

  remove(segment: Segment): void {
    this.#heard.delete(segment);
    this.#candidates.delete(segment);
  }

  /** What another node has heard of its own seats. */
  addRemote(node: string, { levels, speaker }: Heard): void {
    if (levels) this.#hear(node, levels.filter(({ producerId, peerId }) => this.#listener.ownerOf(producerId) === peerId), performance.now() + REMOTE_MS);
    if (speaker !== undefined && this.#listener.ownerOf(speaker)) this.#nominate(node, speaker);
  }

  /** A producer that has ended has no level and no floor. */
  forget(producerId: string): void {
    for (const heard of this.#heard.values()) heard.levels = heard.levels.filter((one) => one.producerId !== producerId);
    for (const [place, candidate] of this.#candidates) if (candidate === producerId) this.#candidates.delete(place);
    if (this.#floor === producerId) this.#floor = undefined;
  }

  #level(producer: Producer, dBov: number): Levels {
    const peerId = this.#listener.ownerOf(producer.id);
    return peerId ? [{ producerId: producer.id, peerId, level: dBov - SILENCE_DBOV }] : [];
  }

  #hear(place: Place, levels: Levels, until: number): void {
    if (levels.length > 0) this.#heard.set(place, { levels, until });
    else this.#heard.delete(place);
    this.#tell();
  }

  #nominate(place: Place, producerId: string): void {
    this.#candidates.set(place, producerId);
    // Of one place alone, its worker's word is the room's.
    if (this.#candidates.size === 1) this.#giveFloor(producerId);
    else this.#judge();
  }

  #all(now: number): Levels {
    for (const [place, { until }] of this.#heard) if (until < now) this.#heard.delete(place);
    return [...this.#heard.values()].flatMap(({ levels }) => levels).sort((one, other) => other.level - one.level);
  }

  #tell(): void {
    const now = performance.now();
    const levels = this.#all(now).slice(0, MOST_LEVELS);
    if (levels.length === 0 ? this.#silent : now - this.#lastTold < LEAST_INTERVAL_MS) return;
    this.#silent = levels.length === 0;
    this.#lastTold = now;
    this.#listener.levels(levels);
    this.#judge();
  }

  /** Between places the louder candidate has the floor, once it was the loudest for some turns: a cough takes nothing over. */
  #judge(): void {
    if (this.#candidates.size < 2) return;
    const candidates = new Set(this.#candidates.values());
    const loudest = this.#all(performance.now()).find(({ producerId }) => candidates.has(producerId));
    if (!loudest || loudest.producerId === this.#floor) {
      this.#challenger = undefined;
      return;
    }
    const turns = this.#challenger?.producerId === loudest.producerId ? this.#challenger.turns + 1 : 1;
    this.#challenger = { producerId: loudest.producerId, turns };
    if (turns >= TURNS_TO_TAKE_OVER || this.#floor === undefined) this.#giveFloor(loudest.producerId);
  }

  #giveFloor(producerId: string): void {
    const peerId = this.#listener.ownerOf(producerId);
    this.#challenger = undefined;
    if (!peerId || producerId === this.#floor) return;
    this.#floor = producerId;
    this.#listener.speaker({ peerId, producerId });
  }
}
