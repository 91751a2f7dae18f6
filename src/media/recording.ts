import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '../lib/logger.js';
import { has, run } from './commands.js';
import { MediaError, type Recorded, type RecordingOptions } from './contract.js';
import { missing } from './input.js';
import type { MediaStore } from './media-store.js';
import type { Source } from './published.js';
import { RecordedTrack } from './recorded-track.js';
import type { Room } from './room.js';

const MOST_TRACKS = 64;

export interface RecordingCare {
  store: MediaStore;
  longestMs: number;
  log: Logger;
  /** Hears when the room's end, or the longest time, has ended it. */
  ended: (recording: Recording) => void;
}

/**
 * A room's recording. Every producer is written to a file of its own while it lives, which costs no encoding; at the end ffmpeg lays them together,
 * each at its time: voices mixed into one track of Opus, pictures as they are, a track each.
 */
export class Recording {
  readonly id = randomUUID();
  readonly #room: Room;
  readonly #options: RecordingOptions;
  readonly #store: MediaStore;
  readonly #log: Logger;
  readonly #folder: string;
  readonly #began = performance.now();
  readonly #tracks: Promise<RecordedTrack | null>[] = [];
  readonly #undo: (() => void)[] = [];
  #stopping: Promise<Recorded> | undefined;

  private constructor(room: Room, options: RecordingOptions, { store, log }: RecordingCare, folder: string) {
    this.#room = room;
    this.#options = options;
    this.#store = store;
    this.#log = log;
    this.#folder = folder;
  }

  /** @throws MediaError UNAVAILABLE without ffmpeg, NOT_FOUND where the room has closed meanwhile */
  static async start(room: Room, options: RecordingOptions, care: RecordingCare): Promise<Recording> {
    if (!(await has('ffmpeg', '-version'))) throw new MediaError('UNAVAILABLE', 'Recording needs ffmpeg on the PATH of the server: apt-get install -y ffmpeg');
    const folder = await mkdtemp(join(tmpdir(), 'omnitalk-recording-'));
    // It would hear of no end any more.
    if (room.closed) {
      await rm(folder, { recursive: true, force: true });
      throw missing('call');
    }
    const recording = new Recording(room, options, care, folder);
    const { longestMs, ended } = care;
    const timer = setTimeout(() => ended(recording), longestMs).unref();
    recording.#undo.push(() => clearTimeout(timer), room.onClose(() => ended(recording)), room.follow((source) => recording.#take(source)));
    for (const source of room.sources) recording.#take(source);
    return recording;
  }

  /** Resolves once every producer of now is being written, or can't be. */
  async settled(): Promise<void> {
    await Promise.all(this.#tracks);
  }

  /** @throws MediaError CONFLICT where nothing was said or shown, or it is not to be kept. Idempotent. */
  stop(keep = true): Promise<Recorded> {
    this.#stopping ??= this.#stop(keep);
    return this.#stopping;
  }

  #take(source: Source): void {
    const { id, kind } = source;
    const { producerIds, audioOnly } = this.#options;
    if (this.#stopping || this.#tracks.length >= MOST_TRACKS) return;
    if ((producerIds && !producerIds.includes(id)) || (audioOnly && kind === 'video')) return;
    // One that ends as it begins has nothing to record, and must not end the others.
    const track = RecordedTrack.open(source, join(this.#folder, String(this.#tracks.length))).catch((error: Error) => {
      if (!source.closed) this.#log.error({ roomId: this.#room.id, producerId: id, error: error.message }, 'a track could not be recorded');
      return null;
    });
    this.#tracks.push(track);
  }

  async #stop(keep: boolean): Promise<Recorded> {
    for (const undo of this.#undo) undo();
    try {
      const tracks = (await Promise.all(this.#tracks)).filter((track) => track !== null);
      const durationMs = Math.round(performance.now() - this.#began);
      await Promise.all(tracks.map((track) => track.end()));
      if (!keep) throw new MediaError('CONFLICT', 'It was not to be kept.');
      const kept: RecordedTrack[] = [];
      for (const track of tracks) {
        if (await track.hasContent()) kept.push(track);
        else this.#log.warn({ roomId: this.#room.id, kind: track.kind, ...track.trouble }, 'a track has nothing in it');
      }
      if (kept.length === 0) throw new MediaError('CONFLICT', 'Nothing was said or shown: there is no recording.');
      const whole = join(this.#folder, `whole.${kept.some(({ file }) => file.endsWith('.mkv')) ? 'mkv' : 'webm'}`);
      await run(['ffmpeg', '-loglevel', 'error', '-nostdin', '-y', ...layTogether(kept, this.#began), whole]);
      const { key, bytes } = await this.#store.put(`recordings/${this.#room.id}/${this.id}${whole.slice(whole.lastIndexOf('.'))}`, whole);
      return { file: key, bytes, durationMs };
    } finally {
      await rm(this.#folder, { recursive: true, force: true });
    }
  }
}

/** Arguments for ffmpeg: inputs at their times, voices mixed, pictures copied. */
function layTogether(tracks: RecordedTrack[], began: number): string[] {
  const inputs = tracks.flatMap(({ began: first, file }) => ['-itsoffset', ((first! - began) / 1000).toFixed(3), '-i', file]);
  const voices = tracks.flatMap(({ kind }, index) => (kind === 'audio' ? [index] : []));
  const pictures = tracks.flatMap(({ kind }, index) => (kind === 'video' ? ['-map', `${index}:v:0`] : []));
  // Opus leaves out silence, and some come late: each voice is filled up to an unbroken track before they are added.
  const filled = voices.map((index) => `[${index}:a:0]aresample=async=1:first_pts=0[a${index}]`);
  const mixed = `${voices.map((index) => `[a${index}]`).join('')}amix=inputs=${voices.length}:duration=longest:normalize=0[mix]`;
  const audio = voices.length > 0 ? ['-filter_complex', [...filled, mixed].join(';'), '-map', '[mix]', '-c:a', 'libopus', '-b:a', '64k'] : [];
  return [...inputs, ...audio, ...pictures, ...(pictures.length > 0 ? ['-c:v', 'copy'] : [])];
}
