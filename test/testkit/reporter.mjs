// mocha's own reporter, with a closing line that people and machines read alike: `N passed, N failed[, N skipped]`.
import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import Mocha from 'mocha';

const SLOWEST = 12;
const SLOW_SUITE_MS = 5_000;

export default class Reporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const suites = timeSuites(runner);
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = runner.stats;
      for (const { title, ms } of suites.sort((one, other) => other.ms - one.ms).slice(0, SLOWEST)) console.log(`  ${(ms / 1000).toFixed(1).padStart(6)} s  ${title}`);
      console.log(closingLine(passes, failures, pending));
      process.on('exit', () => writeSync(1, `mocha exits with ${failures ? 1 : 0}\n`));
      new Worker(new URL('./lingering.mjs', import.meta.url), { execArgv: [], workerData: { closingLine: closingLine(passes, failures + 1, pending) } }).unref();
    });
  }
}

/** What the suite's budget goes to, starting and stopping applications included: fills itself while the tests run. */
function timeSuites(runner) {
  const { EVENT_SUITE_BEGIN, EVENT_SUITE_END } = Mocha.Runner.constants;
  const slow = [];
  let began = 0;
  runner.on(EVENT_SUITE_BEGIN, (suite) => {
    if (suite.parent?.root) began = performance.now();
  });
  runner.on(EVENT_SUITE_END, (suite) => {
    const ms = performance.now() - began;
    if (suite.parent?.root && ms >= SLOW_SUITE_MS) slow.push({ title: suite.title, ms });
  });
  return slow;
}

function closingLine(passes, failures, pending) {
  return `${passes} passed, ${failures} failed${pending > 0 ? `, ${pending} skipped` : ''}`;
}
