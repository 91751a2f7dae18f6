import { pino, type Logger } from 'pino';

export type { Logger };

/** Structured logs, one JSON line an event, to standard output. Secrets never get as far as a log line: see `redact`. */
export function createLogger(level: string): Logger {
  return pino({
    level,
    base: undefined,
    redact: ['req.headers.authorization', 'authorization', 'password', '*.password', 'refreshToken', 'accessToken'],
  });
}
