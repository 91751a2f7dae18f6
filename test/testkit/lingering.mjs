// A thread beside a run that is over: a process that does not end by itself has left something open, or is busy without an end, which are
// bugs like any other. Says what it finds, by the debugger (a busy thread answers nothing else), and ends the process.
import { writeSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';

const LINGER_MS = 20_000;
const LOOKS = 4;
const LOOK_MS = 1_000;

await pause(LINGER_MS);
const { closingLine } = workerData;
const session = new Session();
session.connectToMainThread();
const stacks = [];
const urls = new Map();
session.on('Debugger.scriptParsed', ({ params: { scriptId, url } }) => urls.set(scriptId, url));
session.on('Debugger.paused', ({ params: { callFrames } }) => {
  stacks.push(callFrames.map(({ functionName, location }) => `  at ${functionName || '(anonymous)'} ${urls.get(location.scriptId)}:${location.lineNumber + 1}`).join('\n'));
  void session.post('Debugger.resume');
});
const open = await Promise.race([
  session.post('Runtime.evaluate', { expression: 'process.getActiveResourcesInfo().join(", ")' }).then(({ result }) => result.value),
  pause(LOOK_MS, 'it does not answer'),
]);
void session.post('Debugger.enable');
for (let look = 0; look < LOOKS; look++) {
  void session.post('Debugger.pause');
  await pause(LOOK_MS);
}
const doing = stacks.length ? `and it was seen doing\n${stacks.join('\n  --\n')}` : 'and it was not seen doing anything';
writeSync(1, `\nThe tests are over, and the process goes on. These keep it alive: ${open};\n${doing}\n${closingLine}\n`);
process.kill(process.pid, 'SIGKILL');
