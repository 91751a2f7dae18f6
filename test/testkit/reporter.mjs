// mocha's own reporter, with a closing line that people and machines read alike: `N passed, N failed[, N skipped]`.
import Mocha from 'mocha';

const LINGER_MS = 15_000;

export default class Reporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = runner.stats;
      console.log(closingLine(passes, failures, pending));
      // A process that has run its tests and doesn't end has left something open, which is a bug like any other.
      setTimeout(() => failLingering(passes, failures, pending), LINGER_MS).unref();
    });
  }
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
