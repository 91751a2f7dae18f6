// Loaded before a server (`--import`): its clock jumps by as many milliseconds as the file JUMPING_CLOCK names says, read anew at SIGUSR2. What measures
// durations (timers, performance.now) goes on undisturbed, as it does when an operator sets a machine's clock.
import { readFileSync } from 'node:fs';

let offset = 0;
const RealDate = Date;
class JumpingDate extends RealDate {
  constructor(...given) {
    super(...(given.length ? given : [RealDate.now() + offset]));
  }
  static [Symbol.hasInstance](value) {
    return value instanceof RealDate;
  }
  static now() {
    return RealDate.now() + offset;
  }
}
globalThis.Date = JumpingDate;
process.on('SIGUSR2', () => {
  offset = Number(readFileSync(process.env.JUMPING_CLOCK, 'utf8'));
});
