// `npm run media:build`: has the media worker ready, fetched or built if need be, and says where it is. A start does the same by itself.
import { cacheFolder, obtainWorker } from '../src/media/worker-binary.js';
import { loadConfig } from '../src/config.js';

const config = loadConfig();
try {
  const binary = await obtainWorker({ given: config.MEDIASOUP_WORKER_BIN, cacheDir: cacheFolder(config.XDG_CACHE_HOME), report: (line) => console.log(line) });
  console.log(binary);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
