import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import cors from '@fastify/cors';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import type { Config } from '../config.js';
import type { ErrorCode } from '../lib/errors.js';
import type { Logger } from '../lib/logger.js';
import type { ErrorMapper } from './errors.js';
import type { Metrics } from './metrics.js';
import type { Origins } from './origins.js';

export interface HttpDeps {
  config: Pick<Config, 'TRUST_PROXY'>;
  log: Logger;
  metrics: Pick<Metrics, 'request'>;
  errors: ErrorMapper;
  origins: Origins;
  maxBodyBytes: number;
  /** A request that has not come as a whole after this long is given up: whoever sends a byte a minute holds a connection else. */
  requestMs: number;
  /** An answer of so many bytes that has not been taken as a whole after this long is given up: whoever asks and reads nothing holds it, and a connection, else. */
  answerMs(bytes: number): number;
}

/** What a client may choose as the id of its request. */
const REQUEST_ID = /^[\w.:=+/-]{1,128}$/;
const EXPOSED_HEADERS = ['x-request-id', 'retry-after', 'ratelimit', 'ratelimit-policy'];
/** Asked every few seconds by machines. */
const PROBES = new Set(['/health', '/ready', '/metrics']);
const A_DAY = 86_400;
const TWO_YEARS = 63_072_000;

/** The HTTP server without its routes: request ids, logs, security headers, CORS, and every error as GraphQL's JSON. */
export async function createHttp({ config, log, metrics, errors, origins, maxBodyBytes, requestMs, answerMs }: HttpDeps): Promise<FastifyInstance> {
  const fastify = Fastify({
    logger: false,
    // One proxy of our own: what it says of the client counts, what the client said before that does not.
    trustProxy: config.TRUST_PROXY && ((_address: string, hop: number) => hop === 0),
    bodyLimit: maxBodyBytes,
    requestTimeout: requestMs,
    // Node takes the longer of the two for the body, so both are said.
    http: { headersTimeout: requestMs, connectionsCheckingInterval: requestMs },
    genReqId: (request) => requestId(request),
    forceCloseConnections: 'idle',
    return503OnClosing: false,
  });
  // JSON is all that is read: a form, which a page of another origin can send without asking, is refused.
  fastify.removeContentTypeParser('text/plain');

  fastify.addHook('onRequest', async (request, reply) => {
    void reply.headers(SECURITY_HEADERS).header('x-request-id', request.id);
    if (request.protocol === 'https') void reply.header('strict-transport-security', `max-age=${TWO_YEARS}; includeSubDomains`);
  });
  fastify.addHook('onSend', (_request, { raw }, payload, done) => {
    const bytes = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload.length : 0;
    const timer = setTimeout(() => raw.destroy(), answerMs(bytes));
    timer.unref();
    raw.once('close', () => clearTimeout(timer));
    done();
  });
  fastify.addHook('onResponse', async (request, reply) => {
    metrics.request(request.method, reply.statusCode);
    const path = request.url.split('?', 1)[0]!;
    log[PROBES.has(path) ? 'debug' : 'info']({ requestId: request.id, method: request.method, path, status: reply.statusCode, milliseconds: Math.round(reply.elapsedTime), address: request.ip }, 'request');
  });
  await fastify.register(cors, {
    origin: (origin, callback) => callback(null, origin !== undefined && origins.allows(origin)),
    methods: ['GET', 'POST'],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: A_DAY,
  });
  fastify.setNotFoundHandler((_request, reply) => sendError(reply, 404, 'NOT_FOUND', 'There is nothing here; the API is at /graphql.'));
  fastify.setErrorHandler((error: FastifyError, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status === 413) return sendError(reply, 413, 'BAD_REQUEST', `The body is larger than ${maxBodyBytes} bytes.`);
    if (status < 500) return sendError(reply, status, 'BAD_REQUEST', status === 415 ? 'Send the operation as application/json.' : 'The body is not JSON as it should be.');
    return reply.code(500).send({ errors: [errors.map(error)] });
  });
  return fastify;
}

const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
};

export function sendError(reply: FastifyReply, status: number, code: ErrorCode, message: string, extensions: object = {}): FastifyReply {
  return reply.code(status).send({ errors: [{ message, extensions: { code, ...extensions } }] });
}

/** The client's own id of this request when it is a sane one, else a new one. */
export function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/**
 * The client's address of a raw request, as Fastify would tell it: behind a proxy the one that the proxy itself has
 * seen, which is the last; those before it are whatever the client said.
 */
export function addressOf(request: IncomingMessage, trustProxy: boolean): string {
  const forwarded = trustProxy ? request.headers['x-forwarded-for'] : undefined;
  const last = [forwarded].flat().at(-1)?.split(',').at(-1)?.trim();
  return last || (request.socket.remoteAddress ?? '');
}
