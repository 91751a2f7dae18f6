import { randomUUID } from 'node:crypto';
import { Device, type types } from 'mediasoup-client';
import { FakeHandler } from 'mediasoup-client/handlers/FakeHandler';
import * as parameters from 'mediasoup-client/fakeParameters';
import type { MediaTrack } from '../../sdk/calls.js';

/** mediasoup-client without a browser: all that it asks of the server is real, packets it sends none. */
export class FakeDevice extends Device {
  constructor(handlerFactory = FakeHandler.createFactory(parameters)) {
    super({ handlerFactory });
  }
}

/** A FakeDevice whose data channels are open at once. */
export class ChannelDevice extends FakeDevice {
  constructor() {
    const fake = FakeHandler.createFactory(parameters);
    super({
      ...fake,
      factory: (options) => {
        const handler = fake.factory(options);
        const send = handler.sendDataChannel.bind(handler);
        handler.sendDataChannel = async (stream) => {
          const made = await send(stream);
          Object.assign(made.dataChannel, { _readyState: 'open' });
          return made;
        };
        return handler;
      },
    });
  }
}

/** A FakeDevice whose transports, and what is sent by them, are kept to be looked at. */
export function watched(): { Device: new () => FakeDevice; transports: types.Transport[]; producers: types.Producer[] } {
  const transports: types.Transport[] = [];
  const producers: types.Producer[] = [];
  class Watched extends FakeDevice {
    override createSendTransport<Data extends types.AppData = types.AppData>(options: types.TransportOptions<Data>): types.Transport<Data> {
      const transport = super.createSendTransport(options);
      transport.observer.on('newproducer', (producer) => producers.push(producer));
      transports.push(transport as unknown as types.Transport);
      return transport;
    }
  }
  return { Device: Watched, transports, producers };
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
