import { once } from 'node:events';
import { WebSocket } from 'ws';

/** What a process holds, right after it has collected its garbage. */
export interface Holdings {
  /** On the heap and, for buffers, beside it. */
  heapBytes: number;
  /** That will go off, also those that would not keep the process alive. */
  timers: number;
}

/** A timer that has been cleared, for its prototype. */
const TIMER = '(() => { const timer = setTimeout(() => undefined, 0); clearTimeout(timer); return Object.getPrototypeOf(timer); })()';

/** Looks into another process by its debugger. */
export class Inspector {
  #last = 0;
  readonly #waiting = new Map<number, (result: Record<string, unknown>) => void>();

  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      const { id, result } = JSON.parse(data.toString()) as { id?: number; result?: Record<string, unknown> };
      if (id === undefined) return;
      this.#waiting.get(id)?.(result ?? {});
      this.#waiting.delete(id);
    });
  }

  static async open({ debugger: url }: { debugger: string | null }): Promise<Inspector> {
    if (!url) throw new Error('the process was started without --inspect');
    const socket = new WebSocket(url, { perMessageDeflate: false });
    await once(socket, 'open');
    return new Inspector(socket);
  }

  async holdings(): Promise<Holdings> {
    const timers = await this.#timers();
    for (let time = 0; time < 2; time++) await this.#ask('HeapProfiler.collectGarbage');
    const { heapUsed, external } = (await this.evaluate('process.memoryUsage()')) as NodeJS.MemoryUsage;
    return { heapBytes: heapUsed + external, timers };
  }

  /** Looked for on the heap: what Node itself tells of timers leaves out those that are unref'd. */
  async #timers(): Promise<number> {
    const objectGroup = 'timers';
    const { result: prototype } = (await this.#ask('Runtime.evaluate', { expression: TIMER, objectGroup })) as { result: { objectId: string } };
    const { objects } = (await this.#ask('Runtime.queryObjects', { prototypeObjectId: prototype.objectId, objectGroup })) as { objects: { objectId: string } };
    const functionDeclaration = 'function () { return this.filter((timer) => !timer._destroyed).length; }';
    const { result } = (await this.#ask('Runtime.callFunctionOn', { objectId: objects.objectId, functionDeclaration, returnByValue: true })) as { result: { value: number } };
    await this.#ask('Runtime.releaseObjectGroup', { objectGroup });
    return result.value;
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
