import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { OutboundError, type OutboundReason } from './errors.js';
import { Outbound, type OutboundOptions } from './outbound.js';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

describe('requests to the outside', () => {
  let server: Server;
  let port: number;
  let handle: Handler = (_request, response) => response.end();
  let seen: string[] = [];
  const open: Outbound[] = [];
  const outbound = (options: Partial<OutboundOptions> = {}): Outbound => {
    const made = new Outbound({ ports: [80, 443], privateHosts: [`127.0.0.1:${port}`], userAgent: 'test', ...options });
    open.push(made);
    return made;
  };
  const fails = async (call: Promise<unknown>, reason: OutboundReason): Promise<void> => {
    const error = await call.then(() => assert.fail(`expected ${reason}, but it succeeded`), (caught: unknown) => caught);
    assert.ok(error instanceof OutboundError, String(error));
    assert.equal(error.reason, reason, error.message);
  };
  const at = (path: string) => `http://127.0.0.1:${port}${path}`;

  before(async () => {
    server = createServer((request, response) => {
      seen.push(request.url!);
      handle(request, response);
    });
    // Also at ::1 and other loopback addresses, so that a request led there would be seen.
    server.listen(0, '::');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  beforeEach(() => (seen = []));
  afterEach(() => Promise.all(open.splice(0).map((one) => one.close())));
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  describe('are never led to what is not public', () => {
    const hosts = ['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '0.0.0.0', '2130706433', '0x7f.1', '0177.0.0.1', '127.1', '%31%32%37.0.0.1', '１２７.0.0.1', '127.0.0.1.'];
    for (const host of hosts) it(`by ${host}`, async () => {
      await fails(outbound({ ports: [port], privateHosts: [] }).fetch(`http://${host}:${port}/`), 'FORBIDDEN_ADDRESS');
      assert.deepEqual(seen, []);
    });

    it('by a name that answers with such an address, or with several', async () => {
      for (const addresses of [[{ address: '127.0.0.1', family: 4 }], [{ address: '::1', family: 6 }, { address: '127.0.0.1', family: 4 }], [{ address: '::ffff:127.0.0.1', family: 6 }]]) {
        await fails(outbound({ ports: [port], privateHosts: [], resolve: async () => addresses }).fetch(`http://rebind.test:${port}/`), 'FORBIDDEN_ADDRESS');
      }
      assert.deepEqual(seen, []);
    });

    it('by a name that answers otherwise the second time: it is asked once for each connection, and that answer is connected to', async () => {
      let asked = 0;
      const resolve: OutboundOptions['resolve'] = async () => [{ address: `127.0.0.${++asked + 1}`, family: 4 }];
      const addresses: (string | undefined)[] = [];
      handle = (request, response) => {
        addresses.push(request.socket.localAddress);
        response.setHeader('connection', 'close').end('ok');
      };
      const one = outbound({ privateHosts: ['rebind.test'], resolve });
      await one.fetch(`http://rebind.test:${port}/`);
      assert.equal(asked, 1);
      assert.deepEqual(addresses, ['::ffff:127.0.0.2']);
      // Judged anew when it is connected to anew: here the name has become one that nobody may ask.
      const strict = outbound({ ports: [port], privateHosts: [], resolve });
      await fails(strict.fetch(`http://rebind.test:${port}/`), 'FORBIDDEN_ADDRESS');
      assert.equal(asked, 2);
      assert.equal(addresses.length, 1);
    });

    it('by a redirect, on any hop', async () => {
      const targets = [`http://127.0.0.2:${port}/secret`, `http://localhost:${port}/secret`, `http://[::1]:${port}/secret`, 'http://169.254.169.254/latest/meta-data/', '//10.0.0.1/secret'];
      for (const target of targets) {
        handle = (request, response) => response.writeHead(302, { location: request.url === '/a' ? '/b' : target }).end();
        // localhost and 127.0.0.2 are on a port that may be asked, so that it's the address that is refused.
        await fails(outbound({ ports: [port, 80] }).fetch(at('/a')), 'FORBIDDEN_ADDRESS');
      }
      assert.deepEqual([...new Set(seen)], ['/a', '/b']);
    });

    it('by a redirect to another scheme or with credentials', async () => {
      for (const target of ['file:///etc/passwd', 'ftp://example.com/', 'gopher://127.0.0.1/', 'javascript:alert(1)', 'http://user:password@example.com/', 'http://', 'http://example.com:22/']) {
        handle = (_request, response) => response.writeHead(301, { location: target }).end();
        await fails(outbound().fetch(at('/')), 'FORBIDDEN_URL');
      }
    });
  });

  it('no scheme, port or spelling but those allowed', async () => {
    for (const address of ['ftp://example.com/', 'file:///etc/passwd', 'data:text/plain,hi', 'example.com', '', 'http://example.com:8080/', 'http://a:b@example.com/', `http://example.com/${'a'.repeat(5_000)}`]) await fails(outbound().fetch(address), 'FORBIDDEN_URL');
  });

  it('whatever is asked for: what is refused by a property of its address never reaches a server', () =>
    fc.assert(
      fc.asyncProperty(fc.ipV4(), fc.constantFrom(0x7f000000, 0x0a000000, 0xa9fe0000), fc.nat(0xffff), async (mask, base, low) => {
        const number = (base | low | (Number(mask.split('.')[0]) % 2)) >>> 0;
        const spelling = low % 3 === 0 ? String(number) : low % 3 === 1 ? `0x${number.toString(16)}` : `[::ffff:${(number >>> 16).toString(16)}:${(number & 0xffff).toString(16)}]`;
        await fails(outbound().fetch(`http://${spelling}/`), 'FORBIDDEN_ADDRESS');
      }),
      { numRuns: 100 },
    ));

  it('the operator’s named hosts may be private, and on the named port alone', async () => {
    handle = (_request, response) => response.end('hello');
    assert.equal((await outbound().fetch(at('/'))).body.toString(), 'hello');
    await fails(outbound({ privateHosts: ['127.0.0.1:1'] }).fetch(at('/')), 'FORBIDDEN_URL');
    assert.equal((await outbound({ privateHosts: ['localhost'] }).fetch(`http://localhost:${port}/`)).status, 200);
  });

  it('redirects are followed to the fifth, loops end, and what was meant for one host goes to no other', async () => {
    handle = (request, response) => {
      const n = Number(request.url!.slice(1));
      if (n < 5) response.writeHead(302, { location: `/${n + 1}` }).end('a body nobody reads');
      else response.end('there');
    };
    const found = await outbound().fetch(at('/0'));
    assert.deepEqual([found.url, found.body.toString(), seen.length], [at('/5'), 'there', 6]);
    handle = (_request, response) => response.writeHead(302, { location: '/again' }).end();
    seen = [];
    await fails(outbound().fetch(at('/again')), 'TOO_MANY_REDIRECTS');
    assert.equal(seen.length, 6);

    const tokens: (string | undefined)[] = [];
    handle = (request, response) => {
      tokens.push(request.headers.authorization);
      if (request.url === '/first') response.writeHead(307, { location: '/second' }).end();
      else if (request.url === '/second') response.writeHead(307, { location: `http://localhost:${port}/third` }).end();
      else response.end();
    };
    await outbound({ privateHosts: ['127.0.0.1', 'localhost'] }).fetch(at('/first'), { headers: { Authorization: 'secret' } });
    assert.deepEqual(tokens, ['secret', 'secret', undefined]);
  });

  it('a POST sends its body and follows nothing', async () => {
    let body = '';
    handle = (request, response) => {
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => response.writeHead(302, { location: '/elsewhere' }).end());
    };
    const answer = await outbound().fetch(at('/hook'), { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } });
    assert.deepEqual([answer.status, answer.headers['location'], body, seen], [302, '/elsewhere', '{"a":1}', ['/hook']]);
  });

  describe('bytes', () => {
    it('a gigabyte is refused by its announcement, and when it isn’t announced, by what has come', async () => {
      let written = 0;
      handle = (request, response) => {
        if (request.url === '/announced') response.writeHead(200, { 'content-length': String(2 ** 30) });
        const chunk = Buffer.alloc(65_536, 'a');
        const more = () => {
          while (!response.destroyed && written < 2 ** 30 && response.write(chunk)) written += chunk.length;
        };
        response.on('drain', more);
        more();
      };
      await fails(outbound().fetch(at('/announced')), 'TOO_LARGE');
      await fails(outbound().fetch(at('/endless')), 'TOO_LARGE');
      assert.ok(written < 32 * 2 ** 20, `${written} bytes were taken`);
      const beginning = await outbound().fetch(at('/endless'), { maxBytes: 1_000, overflow: 'cut' });
      assert.deepEqual([beginning.body.length, beginning.cut], [1_000, true]);
    });

    it('what unpacks to more is refused too, packed once or twice', async () => {
      const bomb = gzipSync(Buffer.alloc(16 * 2 ** 20));
      for (const [encoding, body] of [['gzip', bomb], ['gzip, gzip', gzipSync(bomb)], ['br', brotliCompressSync(Buffer.alloc(2 * 2 ** 20))]] as const) {
        handle = (_request, response) => response.writeHead(200, { 'content-encoding': encoding }).end(body);
        await fails(outbound().fetch(at('/')), 'TOO_LARGE');
        assert.equal((await outbound().fetch(at('/'), { maxBytes: 100, overflow: 'cut' })).body.length, 100);
      }
      handle = (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip, gzip, gzip' }).end(bomb);
      await fails(outbound().fetch(at('/')), 'UNREADABLE');
    });

    it('every packing that we say we take is unpacked; a broken one is an error', async () => {
      for (const [encoding, pack] of [['gzip', gzipSync], ['deflate', deflateSync], ['br', brotliCompressSync]] as const) {
        const packed = pack(Buffer.from('hello, hello, hello'));
        handle = (_request, response) => response.writeHead(200, { 'content-encoding': encoding }).end(packed);
        assert.equal((await outbound().fetch(at('/'))).body.toString(), 'hello, hello, hello');
        handle = (_request, response) => response.writeHead(200, { 'content-encoding': encoding }).end(packed.subarray(0, packed.length - 5));
        await fails(outbound().fetch(at('/')), 'UNREADABLE');
      }
      handle = (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('no gzip');
      await fails(outbound().fetch(at('/')), 'UNREADABLE');
    });

    it('another type than asked for is not read', async () => {
      handle = (_request, response) => response.writeHead(200, { 'content-type': 'image/png' }).end('…');
      await fails(outbound().fetch(at('/'), { types: ['text/html'] }), 'WRONG_TYPE');
      handle = (_request, response) => response.writeHead(200, { 'content-type': 'Text/HTML; charset=utf-8' }).end('<p>');
      assert.equal((await outbound().fetch(at('/'), { types: ['text/html'] })).body.toString(), '<p>');
    });

    it('headers without end are refused', async () => {
      handle = (_request, response) => response.writeHead(200, { 'x-much': 'a'.repeat(40_000) }).end();
      await fails(outbound().fetch(at('/')), 'CONNECTION');
    });
  });

  describe('time', () => {
    it('no answer, half an answer, and one that drips for ever', async () => {
      handle = () => undefined;
      await fails(outbound().fetch(at('/'), { timeoutMs: 150 }), 'TIMEOUT');
      handle = (_request, response) => response.writeHead(200).write('half');
      await fails(outbound().fetch(at('/'), { timeoutMs: 150 }), 'TIMEOUT');
      handle = (_request, response) => {
        const drip = setInterval(() => response.write('.'), 10);
        response.on('close', () => clearInterval(drip));
      };
      await fails(outbound().fetch(at('/'), { timeoutMs: 150 }), 'TIMEOUT');
    });

    it('a server that hangs up', async () => {
      handle = (request, response) => {
        if (request.url === '/half') response.writeHead(200, { 'content-length': '100' }).write('half', () => response.destroy());
        else request.socket.destroy();
      };
      await fails(outbound().fetch(at('/')), 'CONNECTION');
      await fails(outbound().fetch(at('/half')), 'CONNECTION');
    });

    it('what does not speak HTTP', async () => {
      const tcp: TcpServer = createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
      tcp.listen(0, '127.0.0.1');
      await once(tcp, 'listening');
      const other = (tcp.address() as AddressInfo).port;
      await fails(outbound({ privateHosts: ['127.0.0.1'] }).fetch(`http://127.0.0.1:${other}/`), 'CONNECTION');
      tcp.close();
    });
  });

  it('a name that nobody has', () => fails(outbound({ resolve: () => Promise.reject(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })) }).fetch('http://nobody.test/'), 'NAME_NOT_FOUND'));

  it('names whose servers keep silent: so many look-ups, past them requests are turned away, and each ends', async () => {
    const signals: AbortSignal[] = [];
    const one = outbound({
      resolve: (_name, signal) => {
        signals.push(signal);
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped')), { once: true }));
      },
    });
    const asked = (name: string) => one.fetch(`http://${name}.test/`, { timeoutMs: 100 }).then(() => 'answered', (error: OutboundError) => error.reason);
    const counts = [];
    // As many as are asked at once, each time: those before have been given up, but are looked up still.
    for (let round = 0; round < 3; round++) counts.push(Object.entries(Object.groupBy(await Promise.all(Array.from({ length: 32 }, (_, index) => asked(`silent-${round}-${index}`))), (reason) => reason)).map(([reason, all]) => [reason, all!.length]));
    assert.deepEqual([counts, signals.length], [[[['TIMEOUT', 32]], [['TIMEOUT', 32]], [['BUSY', 32]]], 64]);
    for (const signal of signals) if (!signal.aborted) await once(signal, 'abort');
    assert.equal(await asked('another'), 'TIMEOUT', 'there is room again');
  });

  it('so many at once; past the queue they are turned away, and what waited gets its turn', async () => {
    let busiest = 0;
    const held: ServerResponse[] = [];
    handle = (_request, response) => {
      held.push(response);
      busiest = Math.max(busiest, held.length);
    };
    const one = outbound();
    const results = Array.from({ length: 560 }, () => one.fetch(at('/'), { timeoutMs: 10_000 }).then(({ status }) => status, (error: OutboundError) => error.reason));
    const pump = setInterval(() => held.splice(0).forEach((response) => response.end()), 5);
    const counts = Map.groupBy(await Promise.all(results), (result) => result);
    clearInterval(pump);
    assert.deepEqual([counts.get(200)?.length, counts.get('BUSY')?.length], [544, 16]);
    assert.ok(busiest <= 32, `${busiest} at once`);
  });

  it('closing ends what is under way', async () => {
    handle = () => undefined;
    const one = outbound();
    const call = fails(one.fetch(at('/')), 'CONNECTION');
    while (!seen.length) await new Promise((resolve) => setTimeout(resolve, 5));
    await one.close();
    await call;
    await one.close();
  });
});
