import assert from 'node:assert/strict';
import { Agent, get } from 'node:http';
import { createConnection, type AddressInfo, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { eventually, settle } from '../../test/testkit/world.js';
import { createLogger } from '../lib/logger.js';
import { ErrorMapper } from './errors.js';
import { createHttp } from './http.js';
import { Origins } from './origins.js';

const REQUEST_MS = 200;
const ANSWER_MS = 700;
/** More than the buffers of a connection on loopback hold. */
const LARGE = 30_000_000;

describe('a request that does not end', () => {
  const lines: string[] = [];
  let fastify: FastifyInstance;
  let port: number;
  before(async () => {
    const log = createLogger('warn', undefined, { write: (line) => void lines.push(line) });
    fastify = await createHttp({ config: { TRUST_PROXY: false }, log, metrics: { request: () => undefined }, errors: new ErrorMapper(log), origins: new Origins([]), maxBodyBytes: 1_000, requestMs: REQUEST_MS, answerMs: () => 60_000 });
    fastify.post('/echo', (request) => request.body as object);
    await fastify.listen({ port: 0, host: '127.0.0.1' });
    ({ port } = fastify.server.address() as AddressInfo);
  });
  after(() => fastify.close());

  /** Sends the beginning, and a byte again and again; resolves with what was answered, once the server has closed. */
  function trickle(beginning: string, byte: string): Promise<string> {
    return new Promise((resolve) => {
      const heard: Buffer[] = [];
      const socket: Socket = createConnection(port, '127.0.0.1', () => socket.write(beginning));
      const more = setInterval(() => socket.write(byte), REQUEST_MS / 10);
      socket.on('data', (chunk) => heard.push(chunk)).on('error', () => undefined).on('close', () => {
        clearInterval(more);
        resolve(Buffer.concat(heard).toString());
      });
    });
  }

  it('is given up, though its body goes on coming byte by byte, and is no fault of ours', async () => {
    assert.match(await trickle('POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{', ' '), /^HTTP\/1\.1 4\d\d /);
    assert.match(await trickle('POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n', '1\r\n \r\n'), /^HTTP\/1\.1 4\d\d /);
    assert.match(await trickle('POST /echo HTTP/1.1\r\nHost: x\r\nX-Long: ', 'a'), /^HTTP\/1\.1 4\d\d /);
    assert.deepEqual(lines, []);
  });

  it('holds up nobody who sends at once', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/echo`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":1}' });
    assert.deepEqual(await answer.json(), { a: 1 });
  });
});

describe('an answer that is not taken', () => {
  let fastify: FastifyInstance;
  let port: number;
  before(async () => {
    const log = createLogger('silent');
    fastify = await createHttp({ config: { TRUST_PROXY: false }, log, metrics: { request: () => undefined }, errors: new ErrorMapper(log), origins: new Origins([]), maxBodyBytes: 1_000, requestMs: 60_000, answerMs: () => ANSWER_MS });
    const large = Buffer.alloc(LARGE, 'a');
    fastify.get('/large', (_request, reply) => reply.send(large));
    await fastify.listen({ port: 0, host: '127.0.0.1' });
    ({ port } = fastify.server.address() as AddressInfo);
  });
  after(() => fastify.close());
  const connections = () => new Promise<number>((resolve, reject) => fastify.server.getConnections((error, count) => (error ? reject(error) : resolve(count))));

  it('is held for its time, and not as long as whoever asked stays connected', async () => {
    const socket = createConnection(port, '127.0.0.1', () => socket.write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n'));
    socket.on('error', () => undefined).pause();
    await eventually(async () => (await connections()) === 1, 'it is connected');
    await eventually(async () => (await connections()) === 0, 'it is let go', 10_000);
    socket.destroy();
  });

  it('is sent whole to who reads, and the connection serves another request after its time', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const read = () =>
      new Promise<number>((resolve, reject) => {
        get({ port, path: '/large', agent }, (response) => {
          let bytes = 0;
          response.on('data', (chunk: Buffer) => (bytes += chunk.length)).on('end', () => resolve(bytes)).on('error', reject);
        }).on('error', reject);
      });
    assert.equal(await read(), LARGE);
    await settle(ANSWER_MS * 1.5);
    assert.equal(await connections(), 1);
    assert.equal(await read(), LARGE);
    agent.destroy();
  });
});
