import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector, errors, type Dispatcher } from 'undici';
import { isPublicAddress, PrivateHosts } from './addresses.js';
import { ENCODINGS, readBody } from './body.js';
import { OutboundError } from './errors.js';
import { askNameServers, askSystem, LookUps, type Resolve } from './look-ups.js';
import { Slots } from '../lib/slots.js';

export interface OutboundOptions {
  /** The ports that may be asked. */
  ports: readonly number[];
  /** Hosts (`host` or `host:port`) that may be private, and on any port. */
  privateHosts: readonly string[];
  /** Who we say that we are. */
  userAgent: string;
  /** Instead of the name servers, and of what the system knows of private hosts. */
  resolve?: Resolve;
}

export interface OutboundRequest {
  /** GET unless told. Only GET and HEAD follow redirects: another's answer is handed back as it is. */
  method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
  /** Of the answer's body, as it arrives and unpacked; 1 MiB unless told. */
  maxBytes?: number;
  /** More than that is an error, or the beginning is kept. */
  overflow?: 'fail' | 'cut';
  /** Media types, one of which a 2xx answer must have; else nothing of it is read. */
  types?: readonly string[];
  /** Redirects that are followed; 5 unless told. */
  redirects?: number;
  /** For everything together: waiting, redirects, the body. 15 s unless told. */
  timeoutMs?: number;
}

export interface OutboundResponse {
  /** Where it came from in the end. */
  url: string;
  status: number;
  /** Names in lower case; of a repeated one, its values with commas between. */
  headers: Readonly<Record<string, string>>;
  body: Buffer;
  /** The body had more than `maxBytes` (with `overflow: 'cut'`). */
  cut: boolean;
}

const CONNECT_MS = 5_000;
const HEADERS_MS = 10_000;
const MAX_HEADER_BYTES = 16_384;
const MAX_URL_LENGTH = 4_096;
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };
const AT_ONCE = 32;
const QUEUE = 512;
const KEEP_ALIVE_MS = 4_000;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** What was meant for one host, and goes to no other. */
const CONFIDENTIAL = new Set(['authorization', 'cookie', 'proxy-authorization', 'if-none-match', 'if-modified-since']);

/**
 * Requests to addresses that others have chosen: feeds, pages behind links, push services, webhooks. Nobody can lead them into the network that we stand in: every hop's
 * address is judged again, and what was judged is what is connected to, since a connection gets its address from the very look-up that was judged (a name that answers
 * otherwise a moment later changes nothing). Time, bytes, redirects, and the numbers of requests and look-ups at once are bounded.
 */
export class Outbound {
  readonly #agent: Agent;
  readonly #slots = new Slots(AT_ONCE, QUEUE);
  readonly #privateHosts: PrivateHosts;
  readonly #ports: ReadonlySet<number>;
  readonly #foreign: LookUps;
  readonly #own: LookUps;

  constructor(private readonly options: OutboundOptions) {
    this.#privateHosts = new PrivateHosts(options.privateHosts);
    this.#ports = new Set(options.ports);
    this.#foreign = new LookUps(options.resolve ?? askNameServers());
    this.#own = new LookUps(options.resolve ?? askSystem);
    this.#agent = new Agent({
      connect: (target, done) => this.#connect(target, done),
      headersTimeout: HEADERS_MS, bodyTimeout: HEADERS_MS, maxHeaderSize: MAX_HEADER_BYTES,
      connections: 4, pipelining: 1, keepAliveTimeout: KEEP_ALIVE_MS, keepAliveMaxTimeout: KEEP_ALIVE_MS,
    });
  }

  /** Whatever status is answered is an answer; everything else is an OutboundError. */
  async fetch(address: string, request: OutboundRequest = {}): Promise<OutboundResponse> {
    const url = this.#check(address);
    const timeoutMs = request.timeoutMs ?? 15_000;
    const deadline = AbortSignal.timeout(timeoutMs);
    if (!(await this.#slots.take())) throw new OutboundError('BUSY', 'too many requests wait for others');
    try {
      if (deadline.aborted) throw new OutboundError('TIMEOUT', `no turn within ${timeoutMs} ms`);
      return await this.#follow(url, request, deadline);
    } catch (error) {
      throw asOutboundError(error, url);
    } finally {
      this.#slots.release();
    }
  }

  /** Throws an OutboundError for what would never be asked, or would go over the internet in the clear; a name is looked up at each request alone. */
  checkEncrypted(address: string): void {
    const url = this.#check(address);
    const port = url.port === '' ? DEFAULT_PORTS[url.protocol]! : Number(url.port);
    if (url.protocol !== 'https:' && !this.#privateHosts.allow(url.hostname, port)) throw new OutboundError('FORBIDDEN_URL', 'not encrypted');
  }

  /** Ends what is under way. Idempotent. */
  async close(): Promise<void> {
    if (!this.#agent.destroyed) await this.#agent.destroy();
  }

  async #follow(first: URL, request: OutboundRequest, signal: AbortSignal): Promise<OutboundResponse> {
    const { method = 'GET', redirects = 5 } = request;
    const follows = method === 'GET' || method === 'HEAD';
    let url = first;
    let headers: Record<string, string> = { 'user-agent': this.options.userAgent, 'accept-encoding': ENCODINGS, ...request.headers };
    for (let hop = 0; ; hop++) {
      const answer = await this.#agent.request({ origin: url.origin, path: url.pathname + url.search, method, headers, body: request.body ?? null, signal });
      const location = follows && REDIRECTS.has(answer.statusCode) ? single(answer.headers['location']) : '';
      if (!location) return await this.#read(url, answer, request);
      discard(answer);
      if (hop >= redirects) throw new OutboundError('TOO_MANY_REDIRECTS', `more than ${redirects} redirects`);
      if (!URL.canParse(location, url.href)) throw new OutboundError('FORBIDDEN_URL', 'redirected to what is no address');
      const next = this.#check(new URL(location, url.href).href);
      if (next.origin !== url.origin) headers = Object.fromEntries(Object.entries(headers).filter(([name]) => !CONFIDENTIAL.has(name.toLowerCase())));
      url = next;
    }
  }

  async #read(url: URL, answer: Dispatcher.ResponseData, { types, maxBytes = 1_048_576, overflow = 'fail' }: OutboundRequest): Promise<OutboundResponse> {
    const headers = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, single(value)]));
    const type = (headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
    const refused = answer.statusCode < 300 && types !== undefined && !types.includes(type) ? new OutboundError('WRONG_TYPE', `answered ${type.slice(0, 100) || 'no type'}`) : null;
    const announced = Number(headers['content-length']);
    const tooLarge = overflow === 'fail' && announced > maxBytes ? new OutboundError('TOO_LARGE', `announces ${announced} bytes`) : null;
    const problem = refused ?? tooLarge;
    if (problem) {
      discard(answer);
      throw problem;
    }
    const { bytes, cut } = await readBody(answer.body, headers['content-encoding'] ?? '', { maxBytes, overflow });
    return { url: url.href, status: answer.statusCode, headers, body: bytes, cut };
  }

  /** Throws for what may not be asked by its text alone. Hosts that are addresses are judged here, whatever their spelling: URL has made it one. */
  #check(address: string): URL {
    const url = address.length <= MAX_URL_LENGTH && URL.canParse(address) ? new URL(address) : null;
    const standard = url && DEFAULT_PORTS[url.protocol];
    if (!url || standard === undefined || standard === null) throw new OutboundError('FORBIDDEN_URL', 'not an http(s) address');
    if (url.username || url.password) throw new OutboundError('FORBIDDEN_URL', 'an address with credentials');
    const port = url.port === '' ? standard : Number(url.port);
    if (this.#privateHosts.allow(url.hostname, port)) return url;
    if (!this.#ports.has(port)) throw new OutboundError('FORBIDDEN_URL', `port ${port} is not among those that may be asked`);
    const literal = url.hostname.replace(/^\[|\]$/g, '');
    if (isIP(literal) && !isPublicAddress(literal)) throw forbiddenAddress(url.hostname);
    return url;
  }

  #connect(target: buildConnector.Options, done: buildConnector.Callback): void {
    const port = Number(target.port) || DEFAULT_PORTS[target.protocol]!;
    const host = target.hostname.includes(':') && !target.hostname.startsWith('[') ? `[${target.hostname}]` : target.hostname;
    const free = this.#privateHosts.allow(host, port);
    const lookUps = free ? this.#own : this.#foreign;
    const lookup: LookupFunction = (name, { all }, found) => {
      lookUps.find(name).then(
        (addresses) => {
          const good = addresses.filter(({ address }) => free || isPublicAddress(address));
          const [first] = good;
          if (!first) found(addresses.length ? forbiddenAddress(name) : new OutboundError('NAME_NOT_FOUND', `${name} has no address`), '', 4);
          else if (all) found(null, good);
          else found(null, first.address, first.family);
        },
        (error: NodeJS.ErrnoException) => found(error, '', 4),
      );
    };
    buildConnector({ timeout: CONNECT_MS, allowH2: false, maxCachedSessions: 0, autoSelectFamily: true, lookup })(target, (...result) => {
      const socket = result[1];
      // Once more what the kernel says: no way of connecting that was overlooked leads past the look-up.
      if (!socket || free || isPublicAddress(socket.remoteAddress ?? '')) return done(...result);
      socket.destroy();
      done(forbiddenAddress(host), null);
    });
  }
}

const forbiddenAddress = (host: string): OutboundError => new OutboundError('FORBIDDEN_ADDRESS', `${host} is not an address of the public internet`);

const single = (value: string | string[] | undefined): string => (Array.isArray(value) ? value.join(', ') : (value ?? ''));

/** Lets go of an answer whose body nobody wants. */
function discard(answer: Dispatcher.ResponseData): void {
  answer.body.on('error', () => undefined); // its being cut off is what we want
  answer.body.destroy();
}

function asOutboundError(error: unknown, { host }: URL): OutboundError {
  if (error instanceof OutboundError) return error;
  const cause = error as NodeJS.ErrnoException;
  const told = (reason: OutboundError['reason']) => new OutboundError(reason, `${host}: ${cause.message}`, { cause });
  if (cause.name === 'TimeoutError' || cause.name === 'AbortError' || error instanceof errors.ConnectTimeoutError || error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError) return told('TIMEOUT');
  if (cause.code === 'ENOTFOUND' || cause.code === 'EAI_AGAIN') return told('NAME_NOT_FOUND');
  if (cause.code?.startsWith('Z_') || cause.code?.startsWith('ERR_BROTLI') || cause.code?.startsWith('ERR__ERROR_FORMAT')) return told('UNREADABLE');
  return told('CONNECTION');
}
