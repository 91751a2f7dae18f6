/** Whose pages may call the API: its own origin, and those of CORS_ORIGINS (`*`: everybody's). */
export class Origins {
  readonly #any: boolean;
  readonly #allowed: ReadonlySet<string>;

  constructor(allowed: readonly string[]) {
    this.#any = allowed.includes('*');
    this.#allowed = new Set(allowed.map((origin) => origin.replace(/\/$/, '').toLowerCase()));
  }

  /** Whether another origin's pages may read answers. */
  allows(origin: string): boolean {
    return this.#any || this.#allowed.has(origin.toLowerCase());
  }

  /** Whether a WebSocket may be opened: by a program (which sends no Origin), by our own pages, or by allowed ones. */
  allowsSocket(origin: string | undefined, host: string | undefined): boolean {
    if (origin === undefined) return true;
    return this.allows(origin) || (host !== undefined && URL.canParse(origin) && new URL(origin).host === host.toLowerCase());
  }
}
