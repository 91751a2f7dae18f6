// Loaded into a measured server before its own code (`node --import`). It does nothing until the bench asks, over the IPC channel.
import { writeFile } from 'node:fs/promises';
import { Session } from 'node:inspector/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 2;
let delays = null;
/** Beats between two turns of the loop: what the thread has worked since the last one. */
let beat = null;
let mostWork = 0;
let profiler = null;

/** CPU of this thread, milliseconds. */
const worked = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

const answers = {
  /** Begins to watch for stalls of the event loop. */
  'watch-loop'() {
    delays?.disable();
    delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    delays.enable();
    clearInterval(beat);
    mostWork = 0;
    let before = worked();
    beat = setInterval(() => {
      const now = worked();
      mostWork = Math.max(mostWork, now - before);
      before = now;
    }, RESOLUTION_MS).unref();
  },
  /** Ends it: the longest stall since, in milliseconds. */
  'longest-stall'() {
    delays.disable();
    return Math.max(0, delays.max / 1e6 - RESOLUTION_MS);
  },
  /** The most that the loop's own thread has worked without a break since, in milliseconds of CPU: the rest of a stall it has waited for a core. */
  'longest-work'() {
    clearInterval(beat);
    return mostWork;
  },
  /** Bytes, after a collection where the process was started with --expose-gc. */
  memory() {
    globalThis.gc?.();
    return process.memoryUsage();
  },
  async 'start-profile'() {
    profiler = new Session();
    profiler.connect();
    await profiler.post('Profiler.enable');
    await profiler.post('Profiler.setSamplingInterval', { interval: 250 });
    await profiler.post('Profiler.start');
  },
  async 'end-profile'({ file }) {
    const { profile } = await profiler.post('Profiler.stop');
    profiler.disconnect();
    await writeFile(file, JSON.stringify(profile));
  },
};

process.on('message', async (message) => {
  const answer = answers[message?.bench];
  if (answer) process.send({ id: message.id, value: (await answer(message)) ?? null });
});
// A run that was killed leaves no server behind.
process.on('disconnect', () => process.exit());
process.channel?.unref();
