/** The longest delay of Node's timers; what lies farther off is looked at again then. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Calls back once a token has expired. Returns what calls it off. */
export function whenExpired(expiresAt: Date, now: () => Date, action: () => void): () => void {
  let timer: NodeJS.Timeout;
  const look = () => {
    const left = expiresAt.getTime() - now().getTime();
    timer = setTimeout(() => (left > MAX_TIMER_MS ? look() : action()), Math.max(0, Math.min(left, MAX_TIMER_MS)));
    timer.unref();
  };
  look();
  return () => clearTimeout(timer);
}
