import { MediaError, type Media, type MediaCounts } from '../../media/contract.js';

const NOTHING: MediaCounts = {
  workers: 0, rooms: 0, peers: 0, routers: 0, transports: 0, producers: 0, consumers: 0, dataProducers: 0, dataConsumers: 0, pipes: 0, borrowed: 0, lent: 0, voices: 0, recordings: 0, timers: 0,
};

/** Media where there is none: everything but calls works, and calls say why. */
export function noMedia(remedy: string): Media {
  const refuse = async (): Promise<never> => {
    throw new MediaError('UNAVAILABLE', remedy);
  };
  const methods = new Proxy({} as Media, {
    get: (_target, name) => {
      if (name === 'state') return () => ({ state: 'unavailable' as const, remedy });
      if (name === 'rooms') return () => NOTHING;
      if (name === 'seats') return () => [];
      return name === 'on' ? () => () => undefined : refuse;
    },
  });
  return methods;
}
