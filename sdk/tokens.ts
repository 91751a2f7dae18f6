export interface TokenSource {
  /** The access token, or what finds one: asked before each request and each connection. */
  accessToken?: string | null | (() => string | null | Promise<string | null>);
  /** Gets a fresh access token once the old one has expired. Called once for all that wait for it. */
  refresh?: () => Promise<string | null>;
}

/** Knows the access token, and how to get the next one. */
export class Tokens {
  #fresh: string | null = null;
  #refreshing: Promise<string | null> | null = null;

  constructor(private readonly source: TokenSource) {}

  async current(): Promise<string | null> {
    if (this.#fresh !== null) return this.#fresh;
    const { accessToken } = this.source;
    return (typeof accessToken === 'function' ? await accessToken() : accessToken) ?? null;
  }

  /** Another token than this one, which has expired; null when none can be had. Throws what `refresh` throws. */
  async insteadOf(expired: string | null): Promise<string | null> {
    const now = await this.current();
    if (now !== expired) return now;
    if (!this.source.refresh) return null;
    this.#refreshing ??= this.source.refresh().finally(() => (this.#refreshing = null));
    const fresh = await this.#refreshing;
    if (fresh === null || fresh === expired) return null;
    // A function is asked anew each time: it knows of the fresh token itself.
    if (typeof this.source.accessToken !== 'function') this.#fresh = fresh;
    return fresh;
  }
}
