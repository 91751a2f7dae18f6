import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { turns } from '../../../test/testkit/fake-log.js';
import { BURST_MS, GATHER_MS, SocketWriter } from './socket-writer.js';

/** A socket whose peer takes bytes when the test says so. */
class Peer extends Duplex {
  readonly chunks: Buffer[] = [];
  reading = true;
  #stuck: (() => void) | null = null;

  constructor() {
    super({ writableHighWaterMark: 16 * 1024 });
  }
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.chunks.push(chunk);
    if (this.reading) done();
    else this.#stuck = done;
  }
  override _read(): void {}
  takeOne(): void {
    const done = this.#stuck;
    this.#stuck = null;
    done?.();
  }
  readAll(): void {
    this.reading = true;
    this.takeOne();
  }

  /** The texts of the frames so far, read as RFC 6455 says. */
  texts(): string[] {
    const bytes = Buffer.concat(this.chunks);
    const texts: string[] = [];
    for (let at = 0; at < bytes.length; ) {
      assert.equal(bytes[at], 0x81, 'a final text frame, unmasked');
      let length = bytes[at + 1]!;
      at += 2;
      if (length === 126) {
        length = bytes.readUInt16BE(at);
        at += 2;
      } else if (length === 127) {
        length = Number(bytes.readBigUInt64BE(at));
        at += 8;
      }
      texts.push(bytes.subarray(at, at + length).toString());
      at += length;
    }
    return texts;
  }
}

describe('SocketWriter', () => {
  const MAX = 200_000;
  let peer: Peer;
  let overflows: number;
  let writer: SocketWriter;
  beforeEach(() => {
    peer = new Peer();
    overflows = 0;
    writer = new SocketWriter(peer, MAX, () => overflows++);
  });
  const write = (text: string, urgent: boolean) => writer.write(Buffer.from(text.slice(0, 3)), Buffer.from(text.slice(3)), urgent);
  const say = (text: string) => write(text, true);
  const tell = (text: string) => write(text, false);

  it('frames messages of every length, in order', async () => {
    const texts = [0, 1, 3, 4, 125, 126, 127, 65_535, 65_536, 70_000].map((length) => 'é'.repeat(length / 2) + 'x'.repeat(length % 2));
    for (const text of texts) {
      say(text);
      await turns(2);
    }
    assert.deepEqual(peer.texts(), texts);
    assert.equal(writer.buffered, 0);
  });

  it('writes what comes in one turn in one go', async () => {
    for (let n = 0; n < 100; n++) say(`message ${n}`);
    assert.equal(peer.chunks.length, 0);
    await turns(1);
    assert.equal(peer.chunks.length, 1);
    assert.deepEqual(peer.texts(), [...Array(100)].map((_, n) => `message ${n}`));
  });

  it('writes the first event at once, and those that follow it closely together', async () => {
    const { now } = performance;
    let time = now.call(performance);
    performance.now = () => time;
    try {
      tell('first');
      await turns(1);
      assert.deepEqual(peer.texts(), ['first']);
      for (let n = 0; n < 5; n++) {
        tell(`event ${n}`);
        await turns(1);
      }
      while (peer.chunks.length < 2) await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
      assert.deepEqual(peer.texts(), ['first', ...[...Array(5)].map((_, n) => `event ${n}`)]);
      assert.equal(peer.chunks.length, 2);
      time += BURST_MS;
      tell('later');
      await turns(1);
      assert.equal(peer.texts().at(-1), 'later');
    } finally {
      performance.now = now;
    }
  });

  it('puts together once what several sockets get alike, and by itself what differs', async () => {
    const peers = [peer, new Peer(), new Peer(), new Peer()];
    const writers = [writer, ...peers.slice(1).map((other) => new SocketWriter(other, MAX, () => overflows++))];
    const [head, otherHead, tail, last] = ['{"id":"1",', '{"id":"2",', '"n":1}', '"n":2}'].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer, Buffer];
    writers.forEach((each, index) => {
      each.write(index === 2 ? otherHead : head, tail, false);
      if (index !== 3) each.write(head, last, false);
    });
    await turns(1);
    assert.deepEqual(peers.map((each) => each.texts()), [0, 1, 2, 3].map((index) => [`{"id":"${index === 2 ? 2 : 1}","n":1}`, ...(index === 3 ? [] : ['{"id":"1","n":2}'])]));
    assert.equal(peers[0]!.chunks[0], peers[1]!.chunks[0]);
    assert.equal(new Set(peers.map((each) => each.chunks[0])).size, 3);
  });

  it('answers at once, with the events that were waiting before the answer', async () => {
    tell('first');
    await turns(1);
    tell('second');
    await turns(1);
    say('answer');
    await turns(1);
    assert.deepEqual(peer.texts(), ['first', 'second', 'answer']);
    await new Promise((resolve) => setTimeout(resolve, 2 * GATHER_MS));
    assert.equal(peer.texts().length, 3);
  });

  it('holds back what the peer does not take, and goes on when it does', async () => {
    peer.reading = false;
    const texts = [...Array(30)].map((_, n) => `${n} ${'x'.repeat(6_000)}`);
    for (const text of texts) {
      say(text);
      await turns(1);
    }
    assert.ok(peer.writableLength < 40_000, `${peer.writableLength} bytes were pushed into a socket that took nothing`);
    assert.ok(writer.buffered > 150_000);
    peer.readAll();
    await turns(20);
    assert.deepEqual(peer.texts(), texts);
    assert.deepEqual([writer.buffered, overflows], [0, 0]);
  });

  it('overflows at its bound, and drops then what the socket was not given', async () => {
    peer.reading = false;
    let said = 0;
    for (; !overflows && said < 100; said++) {
      say('x'.repeat(10_000));
      await turns(1);
      assert.ok(writer.buffered <= MAX);
    }
    assert.equal(said, 20);
    writer.discard();
    assert.ok(writer.buffered < 40_000);
    peer.readAll();
    await turns(5);
    assert.ok(peer.texts().every((text) => text.length === 10_000), 'what was written is whole');
  });

  it('takes one message larger than its bound, and the end of its operation', async () => {
    peer.reading = false;
    say('x'.repeat(2 * MAX));
    say('complete');
    assert.equal(overflows, 0);
    say('x'.repeat(10_000));
    assert.equal(overflows, 1);
    peer.readAll();
    await turns(10);
    say('x'.repeat(2 * MAX));
    await turns(10);
    assert.deepEqual(peer.texts().map((text) => text.length), [2 * MAX, 8, 2 * MAX]);
  });

  it('finishes with all that waits, so that a close frame comes last', () => {
    peer.reading = false;
    const texts = [...Array(12)].map((_, n) => `${n} ${'x'.repeat(9_000)}`);
    texts.forEach(say);
    writer.finish();
    peer.write(Buffer.from([0x81, 1, 0x7a]));
    peer.readAll();
    assert.deepEqual(peer.texts(), [...texts, 'z']);
  });

  it('writes nothing to a socket that is gone', async () => {
    say('late');
    peer.destroy();
    await turns(2);
    say('later');
    await turns(2);
    assert.deepEqual(peer.chunks, []);
  });
});
