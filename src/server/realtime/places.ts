import { AtOnce } from '../../lib/at-once.js';
import { addressKey } from '../limits/rates.js';

/** What one connection takes of the places of whoever holds it: of an address until it has said who it is, then of that person. */
export interface Place {
  /** False: that person holds as many as one may, or the connection has ended. */
  belongsTo(userId: string): boolean;
  /** At the end, however often. */
  leave(): void;
}

/** Connections of one person, or of an address that has not said who it is: nobody takes the places of everybody else. */
export class Places {
  readonly #each: AtOnce;

  constructor(each: number) {
    this.#each = new AtOnce(each);
  }

  /** Null: that address holds as many as one may. */
  enter(address: string): Place | null {
    let leave = this.#each.enter(`address ${addressKey(address)}`);
    if (!leave) return null;
    let left = false;
    return {
      belongsTo: (userId) => {
        // It may end while it is asked who it is: nobody would leave that place any more.
        if (left) return false;
        const stay = this.#each.enter(`person ${userId}`);
        if (!stay) return false;
        leave!();
        leave = stay;
        return true;
      },
      leave: () => {
        left = true;
        leave!();
      },
    };
  }
}
