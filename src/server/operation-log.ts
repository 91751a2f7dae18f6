import type { Logger } from '../lib/logger.js';
import type { Metrics } from './metrics.js';
import type { OperationDone, OperationObserver } from './operations.js';

/** Counts every operation, and logs it: slow ones as warnings. Never with its variables, which hold what people say. */
export class OperationLog implements OperationObserver {
  constructor(
    private readonly log: Logger,
    private readonly metrics: Metrics,
    private readonly slowMs: number,
  ) {}

  operation(done: OperationDone): void {
    this.metrics.operation(done);
    const slow = done.milliseconds >= this.slowMs;
    if (!slow && !this.log.isLevelEnabled('debug')) return;
    const { caller, kind, name, code, milliseconds } = done;
    const line = { requestId: caller.request.id, transport: caller.transport, userId: caller.viewer?.userId, kind, operation: name, code, milliseconds: Math.round(milliseconds) };
    if (slow) this.log.warn(line, 'slow operation');
    else this.log.debug(line, 'operation');
  }
}
