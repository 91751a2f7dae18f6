import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { observer } from 'mediasoup';
import type { WebRtcServer, Worker } from 'mediasoup/types';
import { eventually } from './media.js';

/** The workers of media servers, each by its one port: those that play clients have none. */
const servers = new Map<WebRtcServer, Worker>();
observer.on('newworker', (worker) => {
  worker.observer.on('newwebrtcserver', (server) => {
    servers.set(server, worker);
    server.observer.once('close', () => servers.delete(server));
  });
});

/** The relay plays clients' networks. */
const OURS = /\/(src\/(media|services\/calls)|mediasoup)\/(?!.*ice-relay)/;

/** What the worker processes themselves hold, whatever our own counts say, and the timers that the code of calls has made since the ledger was opened. */
export class Ledger {
  /** Where each was made, by the id that Node gives it. */
  readonly #timers = new Map<number, string>();
  readonly #hook = createHook({
    init: (id, type) => {
      if (type !== 'Timeout') return;
      const from = new Error('made here').stack?.split('\n').find((line) => /\/(src|mediasoup)\//.test(line));
      if (from && OURS.test(from)) this.#timers.set(id, from.trim());
    },
    destroy: (id) => void this.#timers.delete(id),
  });

  private constructor() {
    this.#hook.enable();
  }

  static open(): Ledger {
    return new Ledger();
  }

  /** Waits until no worker has a router, a transport or anything on one, and no timer of ours is left; closes the ledger. */
  async assertEven(): Promise<void> {
    try {
      await eventually(async () => {
        for (const [server, worker] of servers) {
          const { routerIds, channelMessageHandlers } = await worker.dump();
          assert.deepEqual([routerIds, channelMessageHandlers.channelRequestHandlers], [[], [server.id]], 'what a worker can be asked about');
          const { webRtcTransportIds, localIceUsernameFragments } = await server.dump();
          assert.deepEqual([webRtcTransportIds, localIceUsernameFragments], [[], []], 'what comes in by its port');
        }
        assert.deepEqual([...this.#timers.values()], [], 'timers');
      });
    } finally {
      this.#hook.disable();
    }
  }
}
