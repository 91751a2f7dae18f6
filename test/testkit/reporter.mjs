// mocha's own reporter, with a closing line that people and machines read alike: `N passed, N failed[, N skipped]`.
import Mocha from 'mocha';

const LINGER_MS = 15_000;
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
      // A process that has run its tests and doesn't end has left something open, which is a bug like any other.
      setTimeout(() => failLingering(passes, failures, pending), LINGER_MS).unref();
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

function failLingering(passes, failures, pending) {
  console.log(`\nThe tests are over, and these keep the process alive: ${process.getActiveResourcesInfo().join(', ')}`);
  console.log(closingLine(passes, failures + 1, pending));
  // mocha sets the exit code at the very end; whoever registers later has the last word.
  process.on('exit', () => {
    process.exitCode = 1;
  });
  process.exit();
}
