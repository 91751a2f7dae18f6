// Loaded before a server (`--import`): `mediaWorkers()`, asked by its debugger, answers what each of its media workers holds, by the worker's own word.
import { observer } from 'mediasoup';

/** Each by its one port. */
const workers = new Map();
observer.on('newworker', (worker) => {
  worker.observer.on('newwebrtcserver', (server) => {
    workers.set(server, worker);
    server.observer.once('close', () => workers.delete(server));
  });
});

globalThis.mediaWorkers = () =>
  Promise.all(
    [...workers].map(async ([server, worker]) => {
      const { routerIds, channelMessageHandlers } = await worker.dump();
      const { webRtcTransportIds, localIceUsernameFragments } = await server.dump();
      const handlers = channelMessageHandlers.channelRequestHandlers.filter((id) => id !== server.id);
      return { routers: routerIds.length, handlers: handlers.length, transports: webRtcTransportIds.length, fragments: localIceUsernameFragments.length };
    }),
  );
