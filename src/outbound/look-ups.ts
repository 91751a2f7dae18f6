import type { LookupAddress } from 'node:dns';
import { lookup, Resolver } from 'node:dns/promises';
import { InFlight } from '../lib/in-flight.js';
import { OutboundError } from './errors.js';

/** Finds the addresses of a name, and ends by `signal` where it can be stopped. Rejects where it has none. Replaced in tests, which have no names of their own. */
export type Resolve = (host: string, signal: AbortSignal) => Promise<LookupAddress[]>;

const AT_ONCE = 64;
/** Less than connecting may take: of a name of which one kind of address came in time, that one is connected to. */
const DEADLINE_MS = 4_000;
const TRY_MS = 2_000;
const TRIES = 2;
/** RFC 6761: this machine, wherever it is asked. No name server is. */
const LOCALHOST = /^(?:.+\.)?localhost\.?$/;
const LOOPBACK: readonly LookupAddress[] = [{ address: '127.0.0.1', family: 4 }, { address: '::1', family: 6 }];

/** Looks names up: so many at once, and each name once for all who ask for it meanwhile. */
export class LookUps {
  readonly #underWay = new InFlight<LookupAddress[]>();
  #count = 0;

  constructor(
    private readonly resolve: Resolve,
    private readonly deadlineMs = DEADLINE_MS,
  ) {}

  /** Errors: OutboundError (BUSY, NAME_NOT_FOUND, TIMEOUT), or what `resolve` throws. */
  find(host: string): Promise<LookupAddress[]> {
    return this.#underWay.run(host, async () => {
      if (this.#count >= AT_ONCE) throw new OutboundError('BUSY', `${host}: too many names are being looked up`);
      this.#count++;
      try {
        return await this.resolve(host, AbortSignal.timeout(this.deadlineMs));
      } finally {
        this.#count--;
      }
    });
  }
}

/**
 * For names of others: asks the name servers itself (`servers`, or those of resolv.conf) and can be stopped. The system's own way can't be, and takes one of the few threads that also find
 * PostgreSQL and Redis for as long as somebody's name server keeps silent.
 */
export const askNameServers = (servers?: readonly string[]): Resolve => async (host, signal) => {
  if (LOCALHOST.test(host)) return [...LOOPBACK];
  const resolver = new Resolver({ timeout: TRY_MS, tries: TRIES });
  if (servers) resolver.setServers(servers);
  signal.addEventListener('abort', () => resolver.cancel(), { once: true });
  const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  const found = [...addressesOf(four, 4), ...addressesOf(six, 6)];
  if (found.length) return found;
  const codes = [four, six].map((result) => (result.status === 'rejected' ? (result.reason as NodeJS.ErrnoException).code : 'ENODATA'));
  throw new OutboundError(codes.some((code) => code === 'ETIMEOUT' || code === 'ECANCELLED') ? 'TIMEOUT' : 'NAME_NOT_FOUND', `${host}: ${codes.join(', ')}`);
};

/** For hosts that the operator names: as the system finds them, by `/etc/hosts` too, and for as long as the system takes. */
export const askSystem: Resolve = (host) => lookup(host, { all: true });

const addressesOf = (result: PromiseSettledResult<string[]>, family: 4 | 6): LookupAddress[] => (result.status === 'fulfilled' ? result.value.map((address) => ({ address, family })) : []);
