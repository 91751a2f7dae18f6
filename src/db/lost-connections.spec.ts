import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import pg from 'pg';
import { noticeSilence, surviveLoss } from './lost-connections.js';

/** A message of PostgreSQL's protocol. */
function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
const WELCOME = [message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))];
const FAREWELL = message('E', Buffer.from('SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0'));

describe('connections that are lost', () => {
  it('in the moment in which they are lent', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.once('data', () => socket.write(Buffer.concat([...WELCOME, FAREWELL])));
      socket.on('error', () => undefined);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    // As TypeORM's pool is made: an error of a client that nobody hears would fail this test as an uncaught one.
    const pool = new pg.Pool({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, user: 'u', database: 'd', ssl: false, onConnect: surviveLoss });
    pool.on('error', () => undefined);
    try {
      const client = await pool.connect();
      await assert.rejects(client.query('select 1'), /not queryable|terminated/);
      client.release();
      assert.equal(pool.totalCount, 0, 'the pool keeps none that is lost');
    } finally {
      await pool.end();
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  });

  it('by a host that says nothing any more, while a statement waits for it; one that waits for nothing stays', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.once('data', () => socket.write(Buffer.concat(WELCOME)));
      socket.on('error', () => undefined);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const pool = new pg.Pool({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, user: 'u', database: 'd', ssl: false, onConnect: (client) => noticeSilence(client, 150) });
    pool.on('error', () => undefined);
    try {
      const client = await pool.connect();
      client.on('error', () => undefined);
      await new Promise((resolve) => setTimeout(resolve, 500));
      const began = performance.now();
      await assert.rejects(client.query('select 1'), /Connection terminated/);
      const waited = performance.now() - began;
      assert.ok(waited > 100 && waited < 2_000, `${waited} ms`);
      client.release();
      assert.equal(pool.totalCount, 0);
    } finally {
      await pool.end();
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  });
});
