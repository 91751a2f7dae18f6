import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { Places, type Place } from './places.js';
import { VoiceServer, type VoiceServerDeps } from './voice-server.js';
import { WsServer, type WsServerOptions } from './ws-server.js';

const held = (server: Server): Promise<number> => new Promise((resolve, reject) => server.getConnections((error, count) => (error ? reject(error) : resolve(count))));

describe('sockets', () => {
  let http: Server;
  let port: number;
  beforeEach(async () => {
    http = createServer().listen(0, '127.0.0.1');
    await once(http, 'listening');
    ({ port } = http.address() as AddressInfo);
  });
  afterEach(() => void http.close());

  it('that are refused are hung up, and their places free, though the other end stays', async () => {
    const places = new Places(1);
    const options = {
      path: '/graphql', others: {}, hasRoom: () => true, places, heartbeatMs: 60_000, maxMessageBytes: 1_000, allowOrigin: () => true, addressOf: () => '192.0.2.1',
      limits: { request: () => Promise.reject(new Error('Nobody answers.')) },
    } as unknown as WsServerOptions;
    const sockets = new WsServer(http, null as never, null as never, { onEnded: () => undefined } as never, null as never, options);
    for (const [path, status] of [['/graphql', 503], ['/graphql', 503], ['/nothing', 404]] as const) {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      assert.match(answer.toString(), new RegExp(`^HTTP/1.1 ${status} `));
      while (await held(http)) await pause(10);
      socket.destroy();
    }
    sockets.close();
  });

  it('of voices that have gone before it was known whose they are take no place, and are not counted', async () => {
    let known = (): void => undefined;
    const asked = new Promise<void>((resolve) => (known = resolve));
    let answer = (): void => undefined;
    const authenticated = new Promise<{ viewer: { userId: string }; guest: null; expiresAt: Date }>((resolve) => (answer = () => resolve({ viewer: { userId: 'ann' }, guest: null, expiresAt: new Date() })));
    const deps = { authentication: { authenticate: () => (known(), authenticated) }, sessions: { onEnded: () => undefined }, errors: { map: () => ({}) }, heartbeatMs: 60_000, now: () => new Date() };
    const voices = new VoiceServer(deps as unknown as VoiceServerDeps);
    const persons: string[] = [];
    const place: Place = { belongsTo: (userId) => Boolean(persons.push(userId)), leave: () => undefined };
    http.on('upgrade', (request, socket, head) => voices.accept(request, socket, head, place));
    const socket = new WebSocket(`ws://127.0.0.1:${port}`);
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'join', callId: 'any', authorization: 'any' }));
    await asked;
    socket.terminate();
    while (voices.connections) await pause(10);
    answer();
    await pause(10);
    assert.deepEqual([voices.connections, persons], [0, []]);
    voices.close();
  });
});
