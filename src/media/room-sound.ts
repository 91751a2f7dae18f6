import type { Producer } from 'mediasoup/types';
import type { MediaEvents } from './contract.js';
import type { Segment } from './segment.js';

type Levels = MediaEvents['audioLevels']['levels'];

const LEAST_INTERVAL_MS = 400;
const MOST_LEVELS = 12;
/** How many times in a row another segment's speaker must be the loudest of the room before the floor passes. */
const TURNS_TO_TAKE_OVER = 2;
const SILENCE_DBOV = -127;

export interface SoundListener {
  ownerOf(producerId: string): string | undefined;
  levels(levels: Levels): void;
  speaker(speaker: { peerId: string; producerId: string }): void;
}

/**
 * Who is heard and who has the floor, over all segments of a room. Each segment's worker measures its own seats alone; what it says is put together
 * here, without a timer: the first segment that speaks up after the interval speaks for all.
 */
export class RoomSound {
  readonly #listener: SoundListener;
  readonly #heard = new Map<Segment, Levels>();
  readonly #candidates = new Map<Segment, string>();
  #lastTold = -Infinity;
  #silent = true;
  #floor: string | undefined;
  #challenger: { producerId: string; turns: number } | undefined;

  constructor(listener: SoundListener) {
    this.#listener = listener;
  }

  add(segment: Segment): void {
    segment.levels.on('volumes', (volumes) => {
      this.#heard.set(segment, volumes.flatMap(({ producer, volume }) => this.#level(producer, volume)));
      this.#tell();
    });
    segment.levels.on('silence', () => {
      this.#heard.delete(segment);
      this.#tell();
    });
    segment.speaker.on('dominantspeaker', ({ producer }) => {
      this.#candidates.set(segment, producer.id);
      // Of one segment alone, its worker's word is the room's.
      if (this.#candidates.size === 1) this.#giveFloor(producer.id);
      else this.#judge();
    });
  }

  remove(segment: Segment): void {
    this.#heard.delete(segment);
    this.#candidates.delete(segment);
  }

  /** A producer that has ended has no level and no floor. */
  forget(producerId: string): void {
    for (const [segment, levels] of this.#heard) this.#heard.set(segment, levels.filter((one) => one.producerId !== producerId));
    for (const [segment, candidate] of this.#candidates) if (candidate === producerId) this.#candidates.delete(segment);
    if (this.#floor === producerId) this.#floor = undefined;
  }

  #level(producer: Producer, dBov: number): Levels {
    const peerId = this.#listener.ownerOf(producer.id);
    return peerId ? [{ producerId: producer.id, peerId, level: dBov - SILENCE_DBOV }] : [];
  }

  #tell(): void {
    const now = performance.now();
    const levels = [...this.#heard.values()].flat().sort((one, other) => other.level - one.level).slice(0, MOST_LEVELS);
    if (levels.length === 0 ? this.#silent : now - this.#lastTold < LEAST_INTERVAL_MS) return;
    this.#silent = levels.length === 0;
    this.#lastTold = now;
    this.#listener.levels(levels);
    this.#judge();
  }

  /** Between segments the louder candidate has the floor, once it was the loudest for some turns: a cough takes nothing over. */
  #judge(): void {
    if (this.#candidates.size < 2) return;
    const candidates = new Set(this.#candidates.values());
    const loudest = [...this.#heard.values()].flat().filter(({ producerId }) => candidates.has(producerId)).sort((one, other) => other.level - one.level)[0];
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
