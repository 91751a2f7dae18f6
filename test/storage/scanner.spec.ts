import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { Clamd, ScanError, type Scanner } from '../../src/storage/scanner.js';
import { ClamdProcess, INFECTED, SIGNATURE } from '../testkit/clamd.js';

const scan = async (scanner: Scanner, ...pieces: Buffer[]) => {
  const begun = await scanner.begin();
  try {
    for (const piece of pieces) await begun.write(piece);
    return await begun.end();
  } finally {
    begun.abort();
  }
};
const isKind = (kind: ScanError['kind']) => (error: unknown) => error instanceof ScanError && error.kind === kind;

describe('scanning by clamd', function () {
  this.timeout(60_000);

  describe('the real one, with a signature of our own', () => {
    let clamd: ClamdProcess;
    before(async () => void (clamd = await ClamdProcess.start()));
    after(() => clamd.stop());

    it('finds what is harmful, also where it lies across pieces, and lets the rest pass', async () => {
      const scanner = new Clamd(clamd.url);
      assert.equal(await scan(scanner, Buffer.from('nothing of the kind')), null);
      assert.equal(await scan(scanner, INFECTED), `${SIGNATURE}.UNOFFICIAL`);
      assert.equal(await scan(scanner, Buffer.concat([randomBytes(100_000), INFECTED.subarray(0, 10)]), Buffer.concat([INFECTED.subarray(10), randomBytes(100_000)])), `${SIGNATURE}.UNOFFICIAL`);
      assert.equal(await scan(scanner, ...Array.from({ length: 12 }, () => randomBytes(65_536))), null);
    });

    it('says what is too large for it', async () => {
      const tooLarge = () => scan(new Clamd(clamd.url), ...Array.from({ length: 40 }, () => Buffer.alloc(65_536))).then(() => assert.fail('it was scanned'), (error: ScanError) => error);
      // It resets the connection behind its answer: now and then a write meets that first, and the answer is lost. That is a failure after which a file is scanned again.
      let error = await tooLarge();
      for (let again = 0; again < 4 && error.kind === 'FAILED'; again++) error = await tooLarge();
      assert.equal(error.kind, 'TOO_LARGE', error.message);
    });
  });

  it('one that is not there, hangs up, or talks nonsense fails: the file is scanned later', async () => {
    await assert.rejects(scan(new Clamd('tcp://127.0.0.1:1'), Buffer.from('x')), isKind('FAILED'));
    for (const answer of ['', 'stream: what?\0', 'UNKNOWN COMMAND\0']) {
      const server = createServer((socket: Socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => socket.end(answer));
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      await assert.rejects(scan(new Clamd(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`), Buffer.from('x')), isKind('FAILED'));
      server.close();
    }
  });
});
