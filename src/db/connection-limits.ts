import { surviveLoss } from './lost-connections.js';

/** What every connection to PostgreSQL is opened with: node-postgres' options, milliseconds. */
export const CONNECTION_LIMITS = { idle_in_transaction_session_timeout: 30_000, statement_timeout: 30_000, connectionTimeoutMillis: 10_000, onConnect: surviveLoss };
