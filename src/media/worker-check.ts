import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { WebRtcTransport } from 'mediasoup/types';
import { IceRelay } from './ice-relay.js';

/** What a worker answers that is started without the version of its Node side: it was loaded and linked, and does nothing more. */
const NO_VERSION_GIVEN = 41;
const HANDSHAKE_MS = 10_000;

/** Whether this file is a worker that this machine can load: its libraries are there. Takes milliseconds. */
export async function loads(binary: string): Promise<boolean> {
  const child = spawn(binary, [], { env: {}, stdio: 'ignore', timeout: HANDSHAKE_MS });
  return new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === NO_VERSION_GIVEN));
  });
}

/**
 * Has the worker shake hands with itself by DTLS. A worker can carry plain RTP without fault and crash in its first handshake (see
 * scripts/mediasoup-worker/CMakeLists.txt), so nothing less is asked of one that was just built or downloaded.
 * @throws Error that says what went wrong
 */
export async function proveWorker(binary: string): Promise<void> {
  const { createWorker } = await import('mediasoup');
  const worker = await createWorker({ workerBin: binary, logLevel: 'none' });
  let relay: IceRelay | undefined;
  try {
    const router = await worker.createRouter({ mediaCodecs: [{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 }] });
    const open = () => router.createWebRtcTransport({ listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }] });
    const [server, client] = await Promise.all([open(), open()]);
    const died = once(worker, 'died').then(([error]) => {
      throw new Error('the worker crashed in its first DTLS handshake', { cause: error });
    });
    const late = once(AbortSignal.timeout(HANDSHAKE_MS), 'abort').then(() => {
      throw new Error('two transports of the worker did not connect to each other');
    });
    const failed = Promise.race([died, late]);
    failed.catch(() => undefined); // it may fail before anybody waits for it, or long after
    await server.connect({ dtlsParameters: { ...client.dtlsParameters, role: 'client' } });
    await client.connect({ dtlsParameters: { ...server.dtlsParameters, role: 'server' } });
    const shaken = Promise.all([connected(server), connected(client)]);
    relay = await IceRelay.open(server, client);
    await Promise.race([shaken, failed]);
  } finally {
    relay?.close();
    worker.close();
  }
}

const connected = (transport: WebRtcTransport): Promise<void> =>
  new Promise((resolve, reject) => {
    transport.on('dtlsstatechange', (state) => {
      if (state === 'connected') resolve();
      if (state === 'failed') reject(new Error('a DTLS handshake failed'));
    });
  });
