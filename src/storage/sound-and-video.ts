import { execFile, spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** How each type is opened. Never by guessing: a list of other files (HLS, concat) that is called a video would have its entries read. */
const DEMUXERS: Readonly<Record<string, { open: string; write: string }>> = {
  'video/mp4': { open: 'mov', write: 'mp4' }, 'video/quicktime': { open: 'mov', write: 'mov' }, 'video/x-m4v': { open: 'mov', write: 'mp4' }, 'video/3gpp': { open: 'mov', write: '3gp' },
  'audio/mp4': { open: 'mov', write: 'ipod' }, 'audio/x-m4a': { open: 'mov', write: 'ipod' },
  'video/webm': { open: 'matroska', write: 'webm' }, 'audio/webm': { open: 'matroska', write: 'webm' }, 'video/matroska': { open: 'matroska', write: 'matroska' }, 'audio/matroska': { open: 'matroska', write: 'matroska' },
  'audio/ogg': { open: 'ogg', write: 'ogg' }, 'audio/opus': { open: 'ogg', write: 'ogg' }, 'video/ogg': { open: 'ogg', write: 'ogg' },
  'audio/mpeg': { open: 'mp3', write: 'mp3' }, 'audio/wav': { open: 'wav', write: 'wav' }, 'audio/flac': { open: 'flac', write: 'flac' }, 'audio/x-flac': { open: 'flac', write: 'flac' },
  'audio/aac': { open: 'aac', write: 'adts' }, 'video/vnd.avi': { open: 'avi', write: 'avi' },
};

export const isPlayable = (contentType: string): boolean => contentType in DEMUXERS;

/** What a file of sound or video holds. */
export interface Clip {
  durationMs: number | null;
  /** Upright, as it is shown; null for sound alone. */
  video: { width: number; height: number } | null;
  hasSound: boolean;
  /** It says where it was made, in a tag. */
  tellsPlace: boolean;
  /** Every browser plays it as it is. */
  playsEverywhere: boolean;
}

/** The bytes are broken, or not what they were said to be. */
export class ClipError extends Error {
  override readonly name = 'ClipError';
}

const PROBE_MS = 20_000;
const COPY_MS = 300_000;
const WAVE_MS = 60_000;
const POSTER_MS = 30_000;
/** A rendition takes no longer, holds no more, and is made of no more than this. */
const PLAYBACK_MS = 900_000;
const PLAYBACK_BYTES = 1024 * 1024 * 1024;
export const PLAYBACK_MINUTES = 60;
const PLACE = /location|gps|xyz|coordinate|latitude|longitude/i;
/** Of one process, so that a server which is killed leaves none behind for long. */
const limited = (ms: number): string[] => ['-nostdin', '-v', 'error', '-timelimit', String(Math.ceil(ms / 1000)), '-protocol_whitelist', 'file,pipe', '-threads', '1'];

interface Probed {
  format: { duration?: string; tags?: Record<string, string> };
  streams: {
    codec_type: string;
    codec_name?: string;
    pix_fmt?: string;
    width?: number;
    height?: number;
    duration?: string;
    disposition?: { attached_pic?: number };
    tags?: Record<string, string>;
    side_data_list?: { rotation?: number }[];
  }[];
}

const demuxer = (contentType: string) => {
  const found = DEMUXERS[contentType];
  if (!found) throw new ClipError(`no way to open ${contentType}`);
  return found;
};

/** Throws ClipError. */
export async function readClip(path: string, contentType: string): Promise<Clip> {
  const { open } = demuxer(contentType);
  const { stdout } = await tool('ffprobe', ['-v', 'error', '-protocol_whitelist', 'file,pipe', '-f', open, '-show_format', '-show_streams', '-of', 'json', path], PROBE_MS);
  const { format, streams } = JSON.parse(stdout) as Probed;
  const video = streams.find((stream) => stream.codec_type === 'video' && !stream.disposition?.attached_pic);
  const sound = streams.find((stream) => stream.codec_type === 'audio');
  if (!video && !sound) throw new ClipError('there is neither sound nor picture in it');
  const seconds = Number(format.duration ?? video?.duration ?? sound?.duration);
  const sideways = Math.abs(video?.side_data_list?.find((data) => data.rotation !== undefined)?.rotation ?? 0) % 180 === 90;
  const tags = [format.tags, ...streams.map((stream) => stream.tags)].flatMap((set) => Object.keys(set ?? {}));
  const fits = (video_: string[], sound_: string[]) => (!video || video_.includes(video.codec_name ?? '')) && (!sound || sound_.includes(sound.codec_name ?? ''));
  return {
    durationMs: Number.isFinite(seconds) && seconds > 0 ? Math.round(seconds * 1000) : null,
    video: video ? { width: (sideways ? video.height : video.width) ?? 0, height: (sideways ? video.width : video.height) ?? 0 } : null,
    hasSound: sound !== undefined,
    tellsPlace: tags.some((tag) => PLACE.test(tag)),
    playsEverywhere:
      (contentType === 'video/mp4' && (!video || /^yuvj?420p$/.test(video.pix_fmt ?? '')) && fits(['h264'], ['aac', 'mp3'])) || (contentType === 'video/webm' && fits(['vp8', 'vp9'], ['opus', 'vorbis'])),
  };
}

/** The same picture and sound, bit by bit, without tags, chapters and tracks of data: nothing is left that tells where it was made. */
export async function withoutTags(path: string, contentType: string, target: string): Promise<void> {
  const { open, write } = demuxer(contentType);
  const { size } = await stat(path);
  const kept = ['-map', '0:v:0?', '-map', '0:a?', '-map_metadata', '-1', '-map_metadata:s:v', '-1', '-map_metadata:s:a', '-1', '-map_chapters', '-1', '-fflags', '+bitexact', '-c', 'copy'];
  await tool('ffmpeg', [...limited(COPY_MS), '-f', open, '-i', path, ...kept, ...(open === 'mov' ? ['-movflags', '+faststart'] : []), '-fs', String(size * 2 + 1_048_576), '-f', write, '-y', target], COPY_MS);
}

/** One picture of a video, as a PNG. */
export async function poster(path: string, contentType: string, durationMs: number | null, target: string): Promise<void> {
  const at = Math.min(1, (durationMs ?? 0) / 2_000);
  const shrink = "scale='min(1280,iw)':'min(1280,ih)':force_original_aspect_ratio=decrease";
  await tool('ffmpeg', [...limited(POSTER_MS), '-f', demuxer(contentType).open, '-ss', at.toFixed(2), '-i', path, '-map', '0:v:0', '-frames:v', '1', '-vf', shrink, '-c:v', 'png', '-f', 'image2', '-update', '1', '-y', target], POSTER_MS);
}

/** A rendition that every browser plays: H.264 and AAC in MP4, 720 lines at the most. */
export async function rendition(path: string, contentType: string, target: string): Promise<void> {
  const shrink = "scale='trunc(min(1280,iw)/2)*2':'trunc(min(1280,ih)/2)*2':force_original_aspect_ratio=decrease:force_divisible_by=2";
  const video = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '26', '-pix_fmt', 'yuv420p', '-vf', shrink];
  await tool(
    'ffmpeg',
    [...limited(PLAYBACK_MS), '-f', demuxer(contentType).open, '-i', path, '-map', '0:v:0', '-map', '0:a:0?', '-map_metadata', '-1', ...video, '-c:a', 'aac', '-b:a', '128k', '-ac', '2',
      '-movflags', '+faststart', '-t', String(PLAYBACK_MINUTES * 60), '-fs', String(PLAYBACK_BYTES), '-f', 'mp4', '-y', target],
    PLAYBACK_MS,
  );
}

const RATE = 8_000;
/** Samples of one measurement of loudness: a tenth of a second. */
const STEP = RATE / 10;
const MAX_SECONDS = 4 * 3_600;

/** How loud sound is along its length, the loudest being 255; and how long it is. */
export async function waveform(path: string, contentType: string, bars = 64): Promise<{ waveform: Buffer; durationMs: number }> {
  const args = [...limited(WAVE_MS), '-f', demuxer(contentType).open, '-i', path, '-map', '0:a:0', '-t', String(MAX_SECONDS), '-ac', '1', '-ar', String(RATE), '-f', 's16le', '-'];
  const child = spawn('ffmpeg', args, { stdio: ['ignore', 'pipe', 'ignore'], timeout: WAVE_MS });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  ended.catch(() => undefined); // awaited below
  const steps: number[] = [];
  let samples = 0;
  let sum = 0;
  let odd = Buffer.alloc(0);
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    const data = odd.length ? Buffer.concat([odd, chunk]) : chunk;
    for (let at = 0; at + 1 < data.length; at += 2) {
      const sample = data.readInt16LE(at);
      sum += sample * sample;
      if (++samples % STEP === 0) {
        steps.push(Math.sqrt(sum / STEP));
        sum = 0;
      }
    }
    odd = data.length % 2 ? Buffer.from(data.subarray(-1)) : Buffer.alloc(0);
  }
  if ((await ended) !== 0) throw new ClipError('its sound can’t be read');
  if (!samples) throw new ClipError('there is no sound in it');
  if (samples % STEP) steps.push(Math.sqrt(sum / (samples % STEP)));
  const loudest = Math.max(1, ...loudestOf(steps, bars));
  return { waveform: Buffer.from(loudestOf(steps, bars).map((value) => Math.round((value / loudest) * 255))), durationMs: Math.round((samples / RATE) * 1000) };
}

/** So many bars, each the loudest of its share; of a short sound some stand twice. */
function loudestOf(steps: readonly number[], bars: number): number[] {
  return Array.from({ length: bars }, (_, bar) => {
    const from = Math.floor((bar * steps.length) / bars);
    let loudest = 0;
    for (let step = from; step < Math.max(from + 1, Math.floor(((bar + 1) * steps.length) / bars)); step++) loudest = Math.max(loudest, steps[step] ?? 0);
    return loudest;
  });
}

/** Runs a tool of ffmpeg. What it says is wrong with a file is a ClipError; that it is missing, or was killed, is not the file's fault. */
async function tool(command: string, args: string[], timeout: number): Promise<{ stdout: string }> {
  try {
    return await run(command, args, { timeout, killSignal: 'SIGKILL', maxBuffer: 4 * 1024 * 1024 });
  } catch (error) {
    const { code, killed, stderr } = error as { code?: number | string; killed?: boolean; stderr?: string };
    if (typeof code === 'number' && !killed && !/No space left/.test(stderr ?? '')) throw new ClipError(`${command}: ${(stderr ?? '').slice(0, 500)}`, { cause: error });
    if (killed) throw new ClipError(`${command} took longer than ${timeout} ms`, { cause: error });
    throw error;
  }
}
