import type { Socket } from 'node:net';
import type { ClientBase } from 'pg';

/** PostgreSQL ends a statement that takes longer than `statement_timeout` (ormconfig.ts): who has said nothing for that long and some more is gone. */
export const SILENT_MS = 40_000;
/** The kernel asks on an idle connection after this long. */
const IDLE_MS = 10_000;

/** What pg holds of a connection, beside its declared types. */
interface Wired {
  connection: { stream: Socket };
  readyForQuery: boolean;
}

/**
 * For the pool's `onConnect`. A connection can be told that it ends in the very bytes that ended its last statement: it is lent to the next by then, who has had no turn to listen, and an error
 * that nobody hears ends the process. Whoever holds it learns of it by their next statement, and the pool by its return.
 */
export function surviveLoss(client: ClientBase): void {
  client.on('error', () => undefined);
  noticeSilence(client, SILENT_MS);
}

/** A host that has lost its power closes nothing: a statement under way would wait for a quarter of an hour, until the kernel gives up. `waits` says whether there is one. */
export function noticeSilence(client: ClientBase, silentMs: number, waits = () => !(client as unknown as Wired).readyForQuery): void {
  const { stream } = (client as unknown as Wired).connection;
  stream.setKeepAlive(true, IDLE_MS);
  stream.setTimeout(silentMs);
  stream.on('timeout', () => {
    if (waits()) stream.destroy(new Error('Connection terminated: PostgreSQL does not answer'));
  });
}
