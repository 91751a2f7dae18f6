import ipaddr from 'ipaddr.js';

/** Public by number, yet a cloud's own service for the machine it runs (Azure's WireServer, which hands out credentials). */
const CLOUD_SERVICES = new Set(['168.63.129.16']);

/** Where the registry of IPv6 has put ordinary addresses so far; what lies outside (also `::1.2.3.4`) is nobody's. */
const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3];

/**
 * Whether an address is one of the public internet. Everything special is not: loopback, private, link-local (with it the clouds' 169.254.169.254), carriers' NAT, multicast,
 * documentation, benchmarking, and IPv6 that carries an IPv4 (mapped, compatible, NAT64, 6to4, Teredo): by such a form any IPv4 could be meant. The ranges are IANA's
 * special-purpose registries (RFC 6890), as ipaddr.js has them.
 */
export function isPublicAddress(address: string): boolean {
  // The strict four-part form alone: `ipaddr.parse` would also take 0x7f.1 and 010.0.0.1, which others read differently.
  const parsed = ipaddr.IPv4.isValidFourPartDecimal(address) ? ipaddr.IPv4.parse(address) : ipaddr.IPv6.isValid(address) ? ipaddr.IPv6.parse(address) : null;
  if (!parsed || parsed.range() !== 'unicast') return false;
  return parsed instanceof ipaddr.IPv6 ? parsed.zoneId === undefined && parsed.match(GLOBAL_UNICAST) : !CLOUD_SERVICES.has(parsed.toString());
}

/** A host that the operator names although it may be private: `host`, or `host:port` for that port alone. */
export class PrivateHosts {
  readonly #named: ReadonlySet<string>;

  constructor(named: readonly string[]) {
    this.#named = new Set(named.map((name) => name.toLowerCase()));
  }

  /** `host` as a URL has it: lower case, IPv6 in brackets. */
  allow(host: string, port: number): boolean {
    return this.#named.has(host) || this.#named.has(`${host}:${port}`);
  }
}
