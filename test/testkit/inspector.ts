import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { WebSocket } from 'ws';

/** What a process holds, as it says itself, right after it has collected its garbage. */
export interface Holdings {
  heapBytes: number;
  /** Sockets, timers, … by kind. */
  resources: Map<string, number>;
  /** Sockets that the kernel knows of. */
  sockets: number;
}

/** Looks into another process by its debugger. */
export class Inspector {
  #last = 0;
  readonly #waiting = new Map<number, (result: Record<string, unknown>) => void>();

  private constructor(
    private readonly socket: WebSocket,
    private readonly pid: number,
  ) {
    socket.on('message', (data: Buffer) => {
      const { id, result } = JSON.parse(data.toString()) as { id?: number; result?: Record<string, unknown> };
      if (id === undefined) return;
      this.#waiting.get(id)?.(result ?? {});
      this.#waiting.delete(id);
    });
  }

  static async open({ debugger: url, pid }: { debugger: string | null; pid: number }): Promise<Inspector> {
    if (!url) throw new Error('the process was started without --inspect');
    const socket = new WebSocket(url, { perMessageDeflate: false });
    await once(socket, 'open');
    return new Inspector(socket, pid);
  }

  async holdings(): Promise<Holdings> {
    for (let time = 0; time < 2; time++) await this.#ask('HeapProfiler.collectGarbage');
    const { result } = (await this.#ask('Runtime.evaluate', { expression: 'JSON.stringify([process.memoryUsage().heapUsed, process.getActiveResourcesInfo()])', returnByValue: true })) as { result: { value: string } };
    const [heapBytes, all] = JSON.parse(result.value) as [number, string[]];
    const resources = new Map<string, number>();
    for (const kind of all) resources.set(kind, (resources.get(kind) ?? 0) + 1);
    return { heapBytes, resources, sockets: socketsOf(this.pid) };
  }

  /** What an expression comes to there, as JSON tells it; a promise is waited for. */
  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = (await this.#ask('Runtime.evaluate', { expression: `Promise.resolve(${expression}).then(JSON.stringify)`, awaitPromise: true, returnByValue: true })) as { result: { value: string }; exceptionDetails?: object };
    if (exceptionDetails) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return JSON.parse(result.value) as unknown;
  }

  close(): void {
    this.socket.terminate();
  }

  #ask(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = ++this.#last;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.socket.send(JSON.stringify({ id, method, params }));
    });
  }
}

function socketsOf(pid: number): number {
  let count = 0;
  for (const name of readdirSync(`/proc/${pid}/fd`)) {
    try {
      if (readlinkSync(`/proc/${pid}/fd/${name}`).startsWith('socket:')) count++;
    } catch {
      // closed while we were looking
    }
  }
  return count;
}
