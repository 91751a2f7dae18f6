import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { mock } from 'node:test';
import type { PipeTransport } from 'mediasoup/types';
import { watchPipe } from './pipe-ends.js';

/** A pipe whose worker answers when it is told to. */
class FakePipe extends EventEmitter {
  readonly observer = new EventEmitter();
  closed = false;
  bytesReceived = 1;
  asked = 0;
  readonly #waiting: (() => void)[] = [];
  heldUp = false;

  async getStats(): Promise<{ bytesReceived: number }[]> {
    this.asked++;
    if (this.heldUp) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return [{ bytesReceived: this.bytesReceived }];
  }

  goOn(): void {
    this.heldUp = false;
    for (const answer of this.#waiting.splice(0)) answer();
  }
}

describe('the end of a pipe', () => {
  let pipe: FakePipe;
  let silent: number;
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const look = async (times: number) => {
    for (let time = 0; time < times; time++) {
      mock.timers.tick(2_000);
      await turn();
    }
  };
  beforeEach(() => {
    mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
    pipe = new FakePipe();
    silent = 0;
    watchPipe(pipe as unknown as PipeTransport, { silent: () => void silent++, ended: () => undefined });
    pipe.emit('sctpstatechange', 'connected');
  });
  afterEach(() => {
    pipe.observer.emit('close');
    mock.timers.reset();
  });

  it('tells once nothing has come for six looks in a row, and not while something comes', async () => {
    for (let time = 0; time < 10; time++) {
      pipe.bytesReceived++;
      await look(5);
    }
    assert.equal(silent, 0);
    await look(2);
    assert.equal(silent, 1);
  });

  it('takes for one look what a worker that was held up answers at once', async () => {
    await look(1);
    pipe.heldUp = true;
    await look(20);
    pipe.goOn();
    await turn();
    assert.deepEqual([silent, pipe.asked], [0, 2]);
    pipe.bytesReceived++;
    await look(5);
    assert.equal(silent, 0);
  });
});
