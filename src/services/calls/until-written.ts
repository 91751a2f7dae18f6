import { isConflict, isUnavailable, tookTooLong } from '../../db/failures.js';

/** Until the database is asked again that was not there. */
const AGAIN_MS = 500;

/** What nobody would say again: tried once at least, and then until the database takes it, or it is over. Answers whether it was written. Never rejects. */
export async function untilWritten(write: () => Promise<unknown>, { over, failed }: { over: () => boolean; failed: (error: Error) => void }): Promise<boolean> {
  for (;;) {
    try {
      await write();
      return true;
    } catch (error) {
      failed(error as Error);
      if (!isUnavailable(error) && !isConflict(error) && !tookTooLong(error)) return false;
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS).unref());
    if (over()) return false;
  }
}
