import type { UserRole } from '../entities/user.js';
import { assertMay } from './role-policy.js';

/** Feeds are the operator's: whoever adds one has the server fetch it for everybody. */
export const assertRunsNews = (actor: { role: UserRole }): void => assertMay(actor, 'RUN_NEWS', 'Only administrators change where news come from.');
