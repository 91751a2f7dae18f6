import type { AddressInfo } from 'node:net';
import cors from '@fastify/cors';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyListenOptions, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Clock } from '../../lib/clock.js';
import { DomainError, type ErrorCode } from '../../lib/errors.js';
import type { Logger } from '../../lib/logger.js';
import type { Download, DownloadService } from '../../services/files/downloads.js';
import type { FileUrls } from '../../services/files/file-urls.js';
import type { UploadService } from '../../services/files/uploads.js';
import type { ErrorMapper } from '../errors.js';
import { requestId, sendError } from '../http.js';
import { byteRange } from './byte-range.js';
import { Transfers, type TransferLimits } from './transfers.js';

export interface FilesServerDeps {
  urls: FileUrls;
  uploads: UploadService;
  downloads: DownloadService;
  clock: Clock;
  errors: ErrorMapper;
  log: Logger;
  trustProxy: boolean;
  limits: TransferLimits;
}

const STATUS: Partial<Record<ErrorCode, number>> = { NOT_FOUND: 404, INVALID_INPUT: 400, RATE_LIMITED: 429, STORAGE_UNAVAILABLE: 503, OVERLOADED: 503, UNAVAILABLE: 503, INTERNAL: 500 };
const A_DAY = 86_400;
/** A connection on which nothing moves for so long is closed, and what it had begun is undone. */
const IDLE_MS = 60_000;

/**
 * Files, on a port of their own and so of an origin of their own: whatever somebody uploads, a page that a browser makes of it shares nothing with the
 * API or with the app. And it makes none: the type is one that can't run, or bytes to be saved, in a sandbox either way.
 */
export class FilesServer {
  readonly #fastify: FastifyInstance;
  readonly #transfers: Transfers;
  /** Requests under way. */
  pending = 0;

  constructor(private readonly deps: FilesServerDeps) {
    const { trustProxy, log, errors, limits } = deps;
    this.#transfers = new Transfers(limits);
    this.#fastify = Fastify({ logger: false, trustProxy: trustProxy && ((_address: string, hop: number) => hop === 0), genReqId: (request) => requestId(request), forceCloseConnections: 'idle', connectionTimeout: IDLE_MS });
    this.#fastify.removeAllContentTypeParsers();
    // The body is read where it goes, and nowhere as a whole.
    this.#fastify.addContentTypeParser('*', (_request, _body, done) => done(null));
    this.#fastify.addHook('onRequest', async (request, reply) => {
      this.pending++;
      reply.raw.once('close', () => this.pending--);
      void reply.headers(SECURITY_HEADERS).header('x-request-id', request.id);
    });
    this.#fastify.addHook('onSend', async (request, reply) => {
      // A body that nobody reads must not be taken for the next request, nor may it hold a connection for as long as it comes.
      if (!request.raw.complete) void reply.header('connection', 'close');
    });
    this.#fastify.addHook('onResponse', async (request, reply) => {
      log.info({ requestId: request.id, method: request.method, path: pathOf(request).split('/', 4).join('/'), status: reply.statusCode, milliseconds: Math.round(reply.elapsedTime), address: request.ip }, 'file request');
    });
    this.#fastify.setNotFoundHandler((_request, reply) => sendError(reply, 404, 'NOT_FOUND', 'There is nothing here.'));
    this.#fastify.setErrorHandler((error: FastifyError, _request, reply) => {
      // What Fastify itself could not read (a content type that is none, a length that is no number): no fault of ours.
      if (error.statusCode !== undefined && error.statusCode < 500) {
        return sendError(reply.header('connection', 'close'), error.statusCode, 'BAD_REQUEST', 'This is not a request as HTTP has it.');
      }
      const { message, extensions } = errors.map(error);
      const { code, ...more } = extensions as { code: ErrorCode; retryAfter?: number };
      if (more.retryAfter !== undefined) void reply.header('retry-after', more.retryAfter);
      return sendError(reply, error instanceof DomainError && /full/.test(message) ? 507 : (STATUS[code] ?? 400), code, message, more);
    });
  }

  async listen(options: FastifyListenOptions & { reusePort: boolean }): Promise<number> {
    // The links are what lets somebody in, not who asks: any page that was given one may use it.
    await this.#fastify.register(cors, { origin: '*', methods: ['GET', 'HEAD', 'PUT'], exposedHeaders: ['content-range', 'accept-ranges', 'etag', 'content-length', 'retry-after'], maxAge: A_DAY });
    this.#fastify.put('/uploads/*', (request, reply) => this.#receive(request, reply));
    this.#fastify.route({ method: ['GET', 'HEAD'], url: '/files/*', handler: (request, reply) => this.#send(request, reply) });
    await this.#fastify.listen(options);
    this.#transfers.start();
    return (this.#fastify.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#transfers.close();
    const closing = this.#fastify.close();
    this.#fastify.server.closeAllConnections();
    await closing;
  }

  async #receive(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { urls, uploads, clock } = this.deps;
    const place = urls.readUpload(pathOf(request), clock.now());
    if (!place) return sendError(reply, 404, 'NOT_FOUND', 'This address was not signed here, or has ended.');
    this.#enter(request, reply, () => !request.raw.complete && request.raw.readableLength === 0);
    const length = request.headers['content-length'];
    try {
      await uploads.receive(place, { contentType: request.headers['content-type'], contentLength: length === undefined ? undefined : Number(length) }, request.raw);
    } catch (error) {
      // Whoever has hung up hears no answer, and it is nobody's fault here.
      throw request.raw.readableAborted ? new DomainError('BAD_REQUEST', 'The connection ended before all bytes had come.') : error;
    }
    return reply.code(204).send();
  }

  async #send(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { urls, downloads, clock } = this.deps;
    const now = clock.now();
    const link = urls.read(pathOf(request), now);
    if (!link) return sendError(reply, 404, 'NOT_FOUND', 'This address was not signed here, or has ended.');
    this.#enter(request, reply, () => reply.raw.writableNeedDrain);
    const file = await downloads.open(link);
    const ifRange = request.headers['if-range'];
    const range = ifRange !== undefined && ifRange !== file.etag ? null : byteRange(request.headers.range, file.bytes);
    const same = request.headers['if-none-match']?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === file.etag || tag.trim() === '*');
    const wanted = request.method === 'GET' && !same && range !== 'unsatisfiable';
    // Before anything is said of it: what can't be read must not be kept by a cache.
    const body = wanted ? await file.body(range ?? undefined) : undefined;
    const life = Math.max(0, Math.floor((file.expiresAt.getTime() - now.getTime()) / 1000));
    void reply.headers({
      'content-type': file.type,
      'content-disposition': disposition(file),
      'accept-ranges': 'bytes',
      etag: file.etag,
      // Nobody keeps it for longer than the link is good for.
      'cache-control': `public, max-age=${life}, immutable`,
    });
    if (same) return reply.code(304).send();
    if (range === 'unsatisfiable') return reply.code(416).headers({ 'content-range': `bytes */${file.bytes}`, 'cache-control': 'no-store' }).removeHeader('content-type').send();
    void reply.header('content-length', range ? range.end - range.start + 1 : file.bytes);
    if (range) void reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${file.bytes}`);
    return reply.send(body);
  }

  /** Takes a place, until the answer is through. `waits`: whether it is the client that we wait for. */
  #enter({ ip, raw: { socket } }: FastifyRequest, reply: FastifyReply, waits: () => boolean): void {
    const leave = this.#transfers.enter(ip, { moved: () => socket.bytesRead + socket.bytesWritten, waits, end: () => socket.destroy() });
    reply.raw.once('close', leave);
  }
}

const SECURITY_HEADERS = {
  // A cache keeps nothing but files.
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  // Pages of other origins show pictures of ours.
  'cross-origin-resource-policy': 'cross-origin',
};

const pathOf = (request: FastifyRequest): string => request.url.split('?', 1)[0]!;

/** RFC 6266: the name in plain ASCII for the old, and as it is. */
function disposition({ inline, name }: Download): string {
  const plain = name.normalize('NFKD').replaceAll(/[^\x20-\x7e]/g, '').replaceAll(/["\\%/]/g, '_').trim() || 'file';
  const encoded = encodeURIComponent(name).replaceAll(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  return `${inline ? 'inline' : 'attachment'}; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
