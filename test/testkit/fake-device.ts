import { randomUUID } from 'node:crypto';
import { Device } from 'mediasoup-client';
import { FakeHandler } from 'mediasoup-client/handlers/FakeHandler';
import * as parameters from 'mediasoup-client/fakeParameters';
import type { MediaTrack } from '../../sdk/calls.js';

/** mediasoup-client without a browser: all that it asks of the server is real, packets it sends none. */
export class FakeDevice extends Device {
  constructor() {
    super({ handlerFactory: FakeHandler.createFactory(parameters) });
  }
}

/** A microphone or a camera that nothing comes from. */
export class FakeTrack extends EventTarget implements MediaTrack {
  readonly id = randomUUID();
  readonly enabled = true;
  readyState: 'live' | 'ended' = 'live';

  constructor(readonly kind: 'audio' | 'video') {
    super();
  }

  stop(): void {
    this.readyState = 'ended';
  }
}
