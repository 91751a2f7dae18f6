import assert from 'node:assert/strict';
import { createConnection, type AddressInfo, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { createLogger } from '../lib/logger.js';
import { ErrorMapper } from './errors.js';
import { createHttp } from './http.js';
import { Origins } from './origins.js';

const REQUEST_MS = 200;

describe('a request that does not end', () => {
  const lines: string[] = [];
  let fastify: FastifyInstance;
  let port: number;
  before(async () => {
    const log = createLogger('warn', undefined, { write: (line) => void lines.push(line) });
    fastify = await createHttp({ config: { TRUST_PROXY: false }, log, metrics: { request: () => undefined }, errors: new ErrorMapper(log), origins: new Origins([]), maxBodyBytes: 1_000, requestMs: REQUEST_MS });
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
