// mocha's own reporter, with a closing line that people and machines read alike: `N passed, N failed[, N skipped]`.
import { writeSync } from 'node:fs';
import { relative } from 'node:path';
import { Worker } from 'node:worker_threads';
import Mocha from 'mocha';

const SLOWEST = 12;
const SLOW_FILE_MS = 5_000;

export default class Reporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const files = timeFiles(runner);
    const failed = [];
    runner.on(Mocha.Runner.constants.EVENT_TEST_FAIL, (test) => failed.push(`FAILED ${nameOf(test.file)} › ${test.titlePath().join(' › ')}`));
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = runner.stats;
      const slow = [...files].filter(([, { ms }]) => ms >= SLOW_FILE_MS).sort(([, one], [, other]) => other.ms - one.ms);
      for (const [file, { ms, cpuMs }] of slow.slice(0, SLOWEST)) console.log(`  ${inSeconds(ms)} s, ${inSeconds(cpuMs)} s of CPU here  ${file}`);
      // After the details, so that what is cut off at its beginning still names all of them.
      for (const line of failed) console.log(line);
      console.log(closingLine(passes, failures, pending));
      process.on('exit', () => writeSync(1, `mocha exits with ${failures ? 1 : 0}\n`));
      new Worker(new URL('./lingering.mjs', import.meta.url), { execArgv: [], workerData: { closingLine: closingLine(passes, failures + 1, pending) } }).unref();
    });
  }
}

const inSeconds = (ms) => (ms / 1000).toFixed(1).padStart(6);
const nameOf = (file) => relative(process.cwd(), file ?? '');

/** What the time goes to, starting and stopping applications included, by file: fills itself while the tests run. On a busy machine, the CPU of this process says more. */
function timeFiles(runner) {
  const { EVENT_SUITE_BEGIN, EVENT_SUITE_END } = Mocha.Runner.constants;
  const files = new Map();
  let began = { at: 0, cpu: 0 };
  const cpuMs = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
  runner.on(EVENT_SUITE_BEGIN, (suite) => {
    if (suite.parent?.root) began = { at: performance.now(), cpu: cpuMs() };
  });
  runner.on(EVENT_SUITE_END, (suite) => {
    if (!suite.parent?.root) return;
    const name = nameOf(suite.file);
    const before = files.get(name) ?? { ms: 0, cpuMs: 0 };
    files.set(name, { ms: before.ms + performance.now() - began.at, cpuMs: before.cpuMs + cpuMs() - began.cpu });
  });
  return files;
}

function closingLine(passes, failures, pending) {
  return `${passes} passed, ${failures} failed${pending > 0 ? `, ${pending} skipped` : ''}`;
}
