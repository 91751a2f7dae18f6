import type { ClientBase } from 'pg';

/**
 * For the pool's `onConnect`. A connection can be told that it ends in the very bytes that ended its last statement: it is lent to the next by then, who has had no turn to listen, and an error
 * that nobody hears ends the process. Whoever holds it learns of it by their next statement, and the pool by its return.
 */
export const surviveLoss = (client: ClientBase): void => void client.on('error', () => undefined);
