import { MediaError, type Media } from '../../media/contract.js';

/** Media where there is none: everything but calls works, and calls say why. */
export function noMedia(remedy: string): Media {
  const refuse = async (): Promise<never> => {
    throw new MediaError('UNAVAILABLE', remedy);
  };
  const methods = new Proxy({} as Media, {
    get: (_target, name) => {
      if (name === 'state') return () => ({ state: 'unavailable' as const, remedy });
      return name === 'on' ? () => () => undefined : refuse;
    },
  });
  return methods;
}
