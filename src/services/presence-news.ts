import type { Bus } from '../events/bus.js';

export const presenceTopic = (userId: string): string => `presence:${userId}`;

/**
 * Tells every process that somebody's presence, or who may see it, may have changed. A hint without contents: whoever
 * shows presence reads it again, so hints in any order end in the same state.
 */
export class PresenceNews {
  constructor(private readonly bus: Bus) {}

  tell(userIds: Iterable<string>): void {
    for (const userId of userIds) this.bus.publish(presenceTopic(userId), {});
  }
}
