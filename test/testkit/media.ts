import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '../../src/lib/logger.js';
import type { MediaErrorCode, MediaEvents } from '../../src/media/contract.js';
import { MediaError } from '../../src/media/contract.js';
import { recordingStore } from '../../src/services/calls/recording-store.js';
import { FolderStore } from '../../src/storage/folder-store.js';
import { MediaServer, type MediaServerOptions } from '../../src/media/media-server.js';

/** The worker that `npm test` found or built. */
export function workerBinary(): string {
  const binary = process.env['MEDIASOUP_WORKER_BIN'];
  if (!binary) throw new Error('No media worker: run specs by `npm test`.');
  return binary;
}

export const recordings = join(tmpdir(), `omnitalk-recordings-${process.pid}`);

export function mediaServer(options: Partial<MediaServerOptions> = {}): MediaServer {
  const worker = { given: workerBinary(), cacheDir: '/nowhere' };
  return new MediaServer({ worker, workers: 1, listenIp: '127.0.0.1', port: 0, peersPerRouter: 40, store: recordingStore(new FolderStore(recordings)), log: createLogger('silent'), ...options });
}

export async function refuses(asked: Promise<unknown>, code: MediaErrorCode, field?: string): Promise<void> {
  const error = await asked.then(
    () => assert.fail(`was expected to fail with ${code}`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof MediaError, `expected a MediaError, got ${String((error as Error).stack)}`);
  assert.equal(error.code, code, error.message);
  if (field !== undefined) assert.equal(error.field, field, error.message);
}

/** Waits until it holds; the error of the last try is the failure's. */
export async function eventually(holds: () => void | Promise<void>, withinMs = 5_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      await holds();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Keeps what media tells, by kind. */
export function keeper(media: MediaServer) {
  return <Kind extends keyof MediaEvents>(kind: Kind): MediaEvents[Kind][] => {
    const kept: MediaEvents[Kind][] = [];
    media.on(kind, (event) => kept.push(event));
    return kept;
  };
}
