import type { ActiveSpeakerObserver, AudioLevelObserver, Consumer, DataConsumer, Producer, Router } from 'mediasoup/types';
import { MEDIA_CODECS } from './codecs.js';
import { missing } from './input.js';
import type { LiveWorker } from './worker-pool.js';

export const AUDIO_INTERVAL_MS = 450;
const QUIETEST_DBOV = -70;
const MOST_SPEAKERS = 12;

interface Pipe {
  users: number;
  /** The end in the lending segment; closing it closes the other one. */
  lent: Promise<Consumer | DataConsumer>;
}

/** What one worker does for one room: a router with the seats there, what they say, and what is piped in from the room's other workers. */
export class Segment {
  readonly live: LiveWorker;
  readonly router: Router;
  readonly levels: AudioLevelObserver;
  readonly speaker: ActiveSpeakerObserver;
  seats = 0;
  /** Pipes to other nodes that end here. */
  guests = 0;
  readonly #pipes = new Map<string, Pipe>();

  private constructor(live: LiveWorker, router: Router, levels: AudioLevelObserver, speaker: ActiveSpeakerObserver) {
    this.live = live;
    this.router = router;
    this.levels = levels;
    this.speaker = speaker;
  }

  static async open(live: LiveWorker): Promise<Segment> {
    const router = await live.worker.createRouter({ mediaCodecs: MEDIA_CODECS });
    try {
      const levels = await router.createAudioLevelObserver({ maxEntries: MOST_SPEAKERS, threshold: QUIETEST_DBOV, interval: AUDIO_INTERVAL_MS });
      const speaker = await router.createActiveSpeakerObserver();
      return new Segment(live, router, levels, speaker);
    } catch (error) {
      router.close();
      throw error;
    }
  }

  get pipes(): number {
    return this.#pipes.size;
  }

  sit(): void {
    this.seats++;
    this.live.load++;
  }

  stand(): void {
    this.seats--;
    this.live.load--;
  }

  /** Listens to a producer of a seat here for levels and speakers. A closed producer leaves by itself. */
  async hear(producer: Producer): Promise<void> {
    await Promise.all([this.levels.addProducer({ producerId: producer.id }), this.speaker.addProducer({ producerId: producer.id })]);
  }

  /**
   * Makes a producer or data producer of another segment known here under its own id, by a pipe that all who consume it here share.
   * @returns what its borrower calls once, when done: the last one's call takes the pipe down
   */
  async borrow(what: { producerId: string } | { dataProducerId: string }, lender: Segment): Promise<() => void> {
    if (lender === this) return () => undefined;
    const id = 'producerId' in what ? what.producerId : what.dataProducerId;
    let pipe = this.#pipes.get(id);
    if (!pipe) {
      const lent = lender.router.pipeToRouter({ ...what, router: this.router }).then(({ pipeConsumer, pipeDataConsumer }) => (pipeConsumer ?? pipeDataConsumer)!);
      pipe = { users: 0, lent };
      this.#pipes.set(id, pipe);
    }
    const { lent } = pipe;
    const mine = pipe;
    mine.users++;
    let done = false;
    const giveBack = () => {
      if (done) return;
      done = true;
      if (--mine.users > 0) return;
      if (this.#pipes.get(id) === mine) this.#pipes.delete(id);
      lent.then(
        (end) => end.close(),
        () => undefined,
      );
    };
    try {
      const end = await lent;
      if (end.closed) throw missing('producer');
      return giveBack;
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  close(): void {
    this.live.load -= this.seats;
    this.seats = 0;
    this.#pipes.clear();
    this.router.close();
  }
}
