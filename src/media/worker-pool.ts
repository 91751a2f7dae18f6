import { once } from 'node:events';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { TransportListenInfo, WebRtcServer, Worker } from 'mediasoup/types';
import type { Logger } from '../lib/logger.js';
import { MediaError } from './contract.js';

export interface PoolOptions {
  binary: string;
  workers: number;
  listenIp: string;
  announcedAddress?: string | undefined;
  /** Of the first worker, counted up; 0 picks free ones. */
  port: number;
  /** Where other nodes reach this one: the address, by default what clients are told; and which UDP ports, by default any. */
  pipes?: { address?: string | undefined; ports?: { min: number; max: number } | undefined } | undefined;
  log: Logger;
}

/** A worker that lives. A new one in the place of a dead one is another object. */
export interface LiveWorker {
  readonly index: number;
  readonly worker: Worker;
  readonly server: WebRtcServer;
  /** Of the sockets that this process opens for itself: plain transports and pipes. */
  readonly listenInfo: TransportListenInfo;
  /** Of pipes to other nodes. */
  readonly pipeListenInfo: TransportListenInfo;
  /** Seats and consumers: what a worker's time goes to. Kept by those who use it. */
  load: number;
}

const FIRST_DELAY_MS = 250;
const MOST_DELAY_MS = 30_000;
/** A worker that lived for so long did not die of what killed the one before it. */
const STABLE_MS = 60_000;
const WAIT_MS = 5_000;

/** One mediasoup worker a core, each with one UDP and TCP port; replaced when it dies. */
export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #live = new Map<number, LiveWorker>();
  readonly #respawns = new Map<number, NodeJS.Timeout>();
  readonly #starting = new Set<Promise<void>>();
  readonly #deaths = new Set<(dead: LiveWorker) => void>();
  #waiting: (() => void)[] = [];
  #lastError: Error | null = null;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** @throws MediaError UNAVAILABLE where not one worker starts */
  async start(): Promise<void> {
    await Promise.all(Array.from({ length: this.#options.workers }, (_, index) => this.#spawn(index, 0)));
    if (this.#live.size === 0) throw this.#unavailable();
  }

  get size(): number {
    return this.#live.size;
  }

  get timers(): number {
    return this.#respawns.size;
  }

  /** Why there is no worker at the moment, or null. */
  get trouble(): string | null {
    return this.#live.size > 0 ? null : this.#unavailable().message;
  }

  /** Told in the turn in which a worker's death is known. */
  onDeath(listener: (dead: LiveWorker) => void): void {
    this.#deaths.add(listener);
  }

  /** The least loaded worker but these; undefined where there is no other. */
  leastLoaded(except: ReadonlySet<LiveWorker> = new Set()): LiveWorker | undefined {
    let best: LiveWorker | undefined;
    for (const live of this.#live.values()) if (!except.has(live) && (!best || live.load < best.load)) best = live;
    return best;
  }

  /**
   * The least loaded worker; waits a little where all are just being replaced.
   * @throws MediaError UNAVAILABLE
   */
  async acquire(): Promise<LiveWorker> {
    const best = this.leastLoaded();
    if (best) return best;
    if (!this.#closed) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        timer = setTimeout(resolve, WAIT_MS);
        this.#waiting.push(resolve);
      });
      clearTimeout(timer);
    }
    const late = this.leastLoaded();
    if (!late) throw this.#unavailable();
    return late;
  }

  /** Ends every worker and waits until its process is gone. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#respawns.values()) clearTimeout(timer);
    this.#respawns.clear();
    this.#wake();
    await Promise.all(this.#starting);
    const gone = [...this.#live.values()].map(({ worker }) => {
      const end = worker.subprocessClosed ? Promise.resolve() : once(worker, 'subprocessclose').then(() => undefined);
      worker.close();
      return end;
    });
    this.#live.clear();
    await Promise.all(gone);
  }

  #spawn(index: number, failures: number): Promise<void> {
    const starting = this.#open(index).then(
      (live) => this.#admit(live, failures),
      (error: Error) => {
        this.#lastError = error;
        if (!this.#closed) this.#options.log.error({ worker: index, error: error.message }, 'a media worker did not start');
        this.#respawn(index, failures + 1);
      },
    );
    this.#starting.add(starting);
    return starting.finally(() => this.#starting.delete(starting));
  }

  async #open(index: number): Promise<LiveWorker> {
    const { createWorker } = await import('mediasoup');
    const { binary, listenIp: ip, port } = this.#options;
    const worker = await withoutSignalHandlers(() => createWorker({ workerBin: binary, logLevel: 'error', logTags: ['ice', 'dtls', 'rtp', 'srtp', 'rtcp'] }));
    try {
      const announced = announcedOf(this.#options);
      const listen = (protocol: 'udp' | 'tcp'): TransportListenInfo => ({ protocol, ip, ...(announced ? { announcedAddress: announced } : {}), ...(port ? { port: port + index } : {}) });
      const server = await worker.createWebRtcServer({ listenInfos: [listen('udp'), listen('tcp')] });
      return { index, worker, server, listenInfo: { protocol: 'udp', ip: '127.0.0.1' }, pipeListenInfo: pipeListenInfo(this.#options), load: 0 };
    } catch (error) {
      worker.close();
      const where = port ? `port ${port + index} (UDP and TCP) of ${ip}` : ip;
      throw new Error(`media can't be received on ${where}: ${(error as Error).message}. Free it, or set MEDIA_PORT and MEDIA_LISTEN_IP.`, { cause: error });
    }
  }

  #admit(live: LiveWorker, failures: number): void {
    if (this.#closed) {
      live.worker.close();
      return;
    }
    const born = performance.now();
    this.#live.set(live.index, live);
    this.#lastError = null;
    live.worker.on('died', (error) => {
      this.#live.delete(live.index);
      this.#lastError = error;
      this.#options.log.error({ worker: live.index, pid: live.worker.pid, error: error.message }, 'a media worker died; its calls begin anew on another');
      this.#respawn(live.index, performance.now() - born > STABLE_MS ? 0 : failures);
      for (const listener of this.#deaths) listener(live);
    });
    this.#wake();
  }

  /** At once after a first death, then later and later: what kills each new worker must not keep the machine busy. */
  #respawn(index: number, failures: number): void {
    if (this.#closed) return;
    const delay = failures === 0 ? 0 : Math.min(MOST_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1));
    const timer = setTimeout(() => {
      this.#respawns.delete(index);
      void this.#spawn(index, failures + 1);
    }, delay);
    this.#respawns.set(index, timer.unref());
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const go of waiting) go();
  }

  #unavailable(): MediaError {
    return new MediaError('UNAVAILABLE', `No media worker runs${this.#lastError ? `: ${this.#lastError.message}` : '.'}`);
  }
}

/**
 * A worker closes itself when this process is sent SIGTERM or SIGINT. Draining needs it for longer: people in calls are told first. It ends with
 * this process however that ends, because its pipes close.
 */
async function withoutSignalHandlers<Result>(create: () => Promise<Result>): Promise<Result> {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const before = signals.map((signal) => new Set(process.listeners(signal)));
  const created = create();
  signals.forEach((signal, index) => {
    for (const listener of process.listeners(signal)) if (!before[index]!.has(listener)) process.removeListener(signal, listener);
  });
  return created;
}

/** On all addresses, a client must be told one that it can reach: the first that is not this machine's own loop. */
function announcedOf({ listenIp, announcedAddress }: PoolOptions): string | undefined {
  if (announcedAddress || (listenIp !== '0.0.0.0' && listenIp !== '::')) return announcedAddress;
  const family = listenIp === '::' ? 'IPv6' : 'IPv4';
  const outward = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []).find((address) => !address.internal && address.family === family);
  return outward?.address ?? (family === 'IPv6' ? '::1' : '127.0.0.1');
}

/** Other nodes are told an address, never a name: they compare what comes with it. One of this machine's own is the one listened on, another stands for it (NAT that keeps ports). */
function pipeListenInfo(options: PoolOptions): TransportListenInfo {
  const { listenIp, pipes } = options;
  const announced = announcedOf(options);
  const address = pipes?.address ?? (announced && isIP(announced) ? announced : announcedOf({ ...options, announcedAddress: undefined })) ?? listenIp;
  const ours = Object.values(networkInterfaces()).some((addresses) => addresses?.some((one) => one.address === address));
  return { protocol: 'udp', ...(ours ? { ip: address } : { ip: listenIp, announcedAddress: address }), ...(pipes?.ports ? { portRange: pipes.ports } : {}) };
}
