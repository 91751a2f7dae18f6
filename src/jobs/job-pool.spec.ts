import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { noticeSilence, SILENT_MS } from '../db/lost-connections.js';
import { JobPool } from './job-pool.js';

/** PostgreSQL's AuthenticationOk and ReadyForQuery. */
const WELCOME = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]);

describe('the connections of a job runner', () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.once('data', () => socket.write(WELCOME));
    socket.on('error', () => undefined);
  });
  before(async () => void (await once(server.listen(0, '127.0.0.1'), 'listening')));
  after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const options = () => ({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, user: 'u', database: 'd', ssl: false });

  it('are given up when PostgreSQL says nothing any more, as those of the application', async () => {
    const pool = new JobPool(options());
    try {
      const client = await pool.connect();
      const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
      assert.equal(stream.timeout, SILENT_MS);
      client.release(true);
    } finally {
      await pool.end();
    }
  });

  it('fail a statement that is lost so in a way that the worker tries again', async () => {
    const pool = new JobPool({ ...options(), onConnect: (client) => (client.on('error', () => undefined), noticeSilence(client, 150)) });
    pool.on('error', () => undefined);
    try {
      const client = await pool.connect();
      await assert.rejects(client.query('select 1'), (error: { code?: string; message: string }) => error.code === '40001' && /terminated/.test(error.message));
      client.release(true);
    } finally {
      await pool.end();
    }
  });
});
