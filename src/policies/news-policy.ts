import { forbidden } from '../lib/errors.js';

/** Feeds are the operator's: whoever adds one has the server fetch it for everybody. */
export function assertRunsNews(actor: { role: 'USER' | 'MODERATOR' | 'ADMIN' }): void {
  if (actor.role !== 'ADMIN') throw forbidden('Only administrators change where news come from.');
}
