import type { Api } from './api.js';
import { failure, OmniTalkError } from './errors.js';
import type { FilePartsFragment } from './generated/graphql.js';
import { Sha256 } from './sha256.js';

export interface UploadOptions {
  /** As people see it; of a `File` its own name unless told. */
  name?: string;
  /** Of a `Blob` its own type unless told. */
  contentType?: string;
  voice?: boolean;
  /** The same key again goes on where an upload was left: keep it to survive a reload. A new upload unless told. */
  idempotencyKey?: string;
  /** How much has been sent, of how much; what had arrived before counts. */
  onProgress?: (progress: { sent: number; total: number }) => void;
  signal?: AbortSignal;
  /** Parts that are sent at once; 3 unless told. */
  parallel?: number;
}

export type UploadedFile = FilePartsFragment;

interface Target {
  offset: number;
  bytes: number;
  url: string;
  headers: { name: string; value: string }[];
}

const PIECE = 4 * 1024 * 1024;
const TRIES = 6;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8_000;

/**
 * Sends a file, and waits until it is READY or REJECTED. A large one goes in parts; each is tried again after a failure, and what has arrived is not sent
 * twice. Throws OmniTalkError, or the signal's reason.
 */
export async function upload(api: Api, body: Blob, options: UploadOptions = {}): Promise<UploadedFile> {
  const { signal, onProgress, parallel = 3 } = options;
  const total = body.size;
  const input = {
    name: options.name ?? (body as { name?: string }).name ?? 'file',
    contentType: options.contentType ?? (body.type || 'application/octet-stream'),
    bytes: total,
    sha256: await digest(body, signal),
    voice: options.voice ?? false,
    idempotencyKey: options.idempotencyKey ?? crypto.randomUUID(),
  };
  const { file, upload: place } = (await api.createUpload({ input })).createUpload;
  if (place) {
    const targets: Target[] = place.url == null ? [...place.parts] : [{ offset: 0, bytes: total, url: place.url, headers: place.headers }];
    let sent = total - targets.reduce((sum, target) => sum + target.bytes, 0);
    onProgress?.({ sent, total });
    const next = async (): Promise<void> => {
      for (let target = targets.shift(); target; target = targets.shift()) {
        await put(body.slice(target.offset, target.offset + target.bytes), target, signal);
        sent += target.bytes;
        onProgress?.({ sent, total });
      }
    };
    await Promise.all(Array.from({ length: Math.max(1, Math.min(parallel, targets.length)) }, next));
  }
  let { file: now } = (await api.completeUpload({ input: { fileId: file.id! } })).completeUpload;
  for (let pause = FIRST_PAUSE_MS; now.state === 'PROCESSING'; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    await wait(pause, signal);
    const found = (await api.file({ id: file.id! })).file;
    if (!found) throw failure('NOT_FOUND', 'The file was deleted.');
    now = found;
  }
  return now;
}

async function digest(body: Blob, signal?: AbortSignal): Promise<string> {
  const hash = new Sha256();
  for (let at = 0; at < body.size; at += PIECE) {
    signal?.throwIfAborted();
    hash.update(new Uint8Array(await body.slice(at, at + PIECE).arrayBuffer()));
  }
  return hash.hex();
}

async function put(piece: Blob, { url, headers }: Target, signal?: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    const refused = await send(piece, url, headers, signal);
    if (!refused) return;
    if (!refused.passes || attempt >= TRIES) throw refused.error;
    await wait(Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS) * (0.5 + Math.random()), signal);
  }
}

/** Null when the bytes are there. `passes`: it may go better in a moment. */
async function send(piece: Blob, url: string, headers: Target['headers'], signal?: AbortSignal): Promise<{ error: OmniTalkError; passes: boolean } | null> {
  let response: Response;
  try {
    response = await fetch(url, { method: 'PUT', headers: Object.fromEntries(headers.map(({ name, value }) => [name, value])), body: piece, ...(signal ? { signal } : {}) });
  } catch (error) {
    signal?.throwIfAborted();
    return { error: failure('NETWORK', 'The file store could not be reached.', error), passes: true };
  }
  const text = await response.text();
  if (response.ok) return null;
  const passes = response.status >= 500 || response.status === 429 || response.status === 408;
  let code = passes ? 'STORAGE_UNAVAILABLE' : 'INVALID_INPUT';
  try {
    code = (JSON.parse(text) as { errors: { extensions: { code: string } }[] }).errors[0]!.extensions.code;
  } catch {
    // A store of another make answers in its own words.
  }
  return { error: failure(code, `The file store answered ${response.status}: ${text.slice(0, 300)}`), passes };
}

async function wait(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal!.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
