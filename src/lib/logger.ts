import { destination, pino, type Logger } from 'pino';

export type { Logger };

const WARN = 40;
/**
 * Lines below a warning wait for so many bytes or so long, so that a busy server doesn't write to its log request by request. With the
 * line that makes it enough they stay below 4,096, which a pipe takes whole: the lines of several workers are not torn.
 */
const GATHERED_BYTES = 3_072;
const GATHERED_MS = 100;

/** Structured logs, one JSON line an event, to standard output; `base` stands in each. Secrets never get as far as a log line: see `redact`. */
export function createLogger(level: string, base?: Record<string, unknown>, to: { write(line: string): void } = output()): Logger {
  const options = { level, base, redact: ['req.headers.authorization', 'authorization', 'password', '*.password', 'refreshToken', 'accessToken'] };
  return pino(options, to);
}

let gathered: ReturnType<typeof destination> | null = null;

/** Standard output, once a process. What is gathered is written when the process ends, and before anything that is worth a warning. */
function output(): { write(line: string): void } {
  const out = (gathered ??= opened());
  let timer: NodeJS.Timeout | null = null;
  const flush = () => {
    timer = null;
    out.flushSync();
  };
  return {
    write(line) {
      out.write(line);
      if (Number(/^\{"level":(\d+)/.exec(line)?.[1]) >= WARN) out.flushSync();
      else timer ??= setTimeout(flush, GATHERED_MS).unref();
    },
  };
}

function opened(): ReturnType<typeof destination> {
  const out = destination({ fd: 1, sync: true, minLength: GATHERED_BYTES });
  process.on('exit', () => out.flushSync());
  return out;
}
