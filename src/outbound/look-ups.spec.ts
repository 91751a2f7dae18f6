import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { OutboundError, type OutboundReason } from './errors.js';
import { askNameServers, LookUps, type Resolve } from './look-ups.js';

const reasonOf = (call: Promise<unknown>): Promise<OutboundReason | 'found' | 'other'> => call.then(() => 'found', (error: unknown) => (error instanceof OutboundError ? error.reason : 'other'));

describe('look-ups', () => {
  it('are so many at once, one for all who ask for the same name, and each ends', async () => {
    const asked: string[] = [];
    const silent: Resolve = (host, signal) => {
      asked.push(host);
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new OutboundError('TIMEOUT', host)), { once: true }));
    };
    const lookUps = new LookUps(silent, 50);
    const names = Array.from({ length: 64 }, (_, index) => `silent-${index}.test`);
    const calls = [...names, ...names].map((name) => reasonOf(lookUps.find(name)));
    assert.equal(await reasonOf(lookUps.find('another.test')), 'BUSY');
    assert.deepEqual(asked, names);
    assert.deepEqual(new Set(await Promise.all(calls)), new Set(['TIMEOUT']));
    // There is room again, and nothing that failed is kept.
    assert.equal(await reasonOf(lookUps.find(names[0]!)), 'TIMEOUT');
    assert.equal(asked.length, 65);
  });
});

const A = 1;
const AAAA = 28;

/** A name server: by name and type the addresses, or null for a name that nobody has; what it does not know it keeps silent about. */
async function nameServer(known: Record<string, Partial<Record<number, number[][] | null>>>): Promise<{ socket: Socket; address: string; asked: string[] }> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (question, from) => {
    const labels: string[] = [];
    let at = 12;
    for (; question[at]; at += question[at]! + 1) labels.push(question.toString('latin1', at + 1, at + 1 + question[at]!));
    const type = question.readUInt16BE(at + 1);
    const name = labels.join('.').toLowerCase();
    const found = known[name]?.[type];
    if (found !== undefined) {
      const head = Buffer.from(question.subarray(0, at + 5));
      head.writeUInt16BE(found ? 0x8180 : 0x8183, 2);
      head.fill(0, 6, 12);
      head.writeUInt16BE(found?.length ?? 0, 6);
      const answers = (found ?? []).map((bytes) => Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, bytes.length, ...bytes]));
      socket.send(Buffer.concat([head, ...answers]), from.port, from.address);
    }
    asked.push(`${name} ${type}`);
    socket.emit('asked');
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { socket, address: `127.0.0.1:${socket.address().port}`, asked };
}

describe('asking name servers', () => {
  const four = [[93, 184, 215, 14]];
  const six = [[0x26, 0x06, 0x28, 0, 0x02, 0x20, 0, 1, 0x02, 0x48, 0x18, 0x93, 0x25, 0xc8, 0x19, 0x46]];
  const found = [{ address: '93.184.215.14', family: 4 }, { address: '2606:2800:220:1:248:1893:25c8:1946', family: 6 }];
  let server: Awaited<ReturnType<typeof nameServer>>;
  let ask: Resolve;
  before(async () => {
    server = await nameServer({
      'both.test': { [A]: four, [AAAA]: six }, 'xn--zrich-kva.test': { [A]: four, [AAAA]: [] }, 'six.test': { [A]: [], [AAAA]: six }, 'half.test': { [A]: four },
      'none.test': { [A]: [], [AAAA]: [] }, 'nobody.test': { [A]: null, [AAAA]: null },
    });
    ask = askNameServers([server.address]);
  });
  beforeEach(() => (server.asked.length = 0));
  after(() => server.socket.close());

  const patient = () => new AbortController().signal;
  /** Asks, and stops once both questions are there. */
  const stopped = async (host: string) => {
    const controller = new AbortController();
    const call = ask(host, controller.signal);
    const ended = reasonOf(call);
    while (server.asked.length < 2) await once(server.socket, 'asked');
    // Whatever it has answered is there when this is, which goes there and back afterwards.
    await ask('both.test', patient());
    controller.abort();
    return { call, ended };
  };

  it('finds addresses of both kinds, also where there is one, with a dot at the end, and of a name in another script', async () => {
    assert.deepEqual(await ask('both.test', patient()), found);
    assert.deepEqual(await ask('both.test.', patient()), found);
    assert.deepEqual(await ask('six.test', patient()), found.slice(1));
    assert.deepEqual(await ask(new URL('http://Zürich.test/').hostname, patient()), found.slice(0, 1));
  });

  it('tells a name that nobody has, or that has no address', async () => {
    assert.deepEqual([await reasonOf(ask('nobody.test', patient())), await reasonOf(ask('none.test', patient()))], ['NAME_NOT_FOUND', 'NAME_NOT_FOUND']);
  });

  it('ends when it is stopped, with what has come', async () => {
    assert.equal(await (await stopped('silent.test')).ended, 'TIMEOUT');
    server.asked.length = 0;
    assert.deepEqual(await (await stopped('half.test')).call, found.slice(0, 1));
  });

  it('asks nobody for localhost, which is this machine', async () => {
    for (const host of ['localhost', 'localhost.', 'app.localhost']) assert.deepEqual((await ask(host, patient())).map(({ address }) => address), ['127.0.0.1', '::1']);
    assert.deepEqual(server.asked, []);
  });
});
