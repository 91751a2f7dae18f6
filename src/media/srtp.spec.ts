import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { PlainTransport, Router, SrtpCryptoSuite, Worker } from 'mediasoup/types';
import { eventually, workerBinary } from '../../test/testkit/media.js';
import { CODECS, OPUS_SILENCE, ssrc, vp8Frame } from '../../test/testkit/rtc.js';
import { MEDIA_CODECS } from './codecs.js';
import { readRtp, writeRtp } from './rtp.js';

const PACKETS = 300;
/** Bytes of key and salt together. */
const SUITES: Record<SrtpCryptoSuite, number> = { AES_CM_128_HMAC_SHA1_80: 30, AES_CM_128_HMAC_SHA1_32: 30, AEAD_AES_128_GCM: 28, AEAD_AES_256_GCM: 44 };

// The worker may be built against another libsrtp than mediasoup's own (scripts/mediasoup-worker/include/srtp.h): every suite both ways.
describe('RTP through the worker', () => {
  let worker: Worker;
  let router: Router;
  before(async () => {
    const { createWorker } = await import('mediasoup');
    worker = await createWorker({ workerBin: workerBinary(), logLevel: 'none' });
    router = await worker.createRouter({ mediaCodecs: MEDIA_CODECS });
  });
  after(async () => {
    const gone = once(worker, 'subprocessclose');
    worker.close();
    await gone;
  });

  const plain = (suite?: SrtpCryptoSuite): Promise<PlainTransport> =>
    router.createPlainTransport({ listenInfo: { protocol: 'udp', ip: '127.0.0.1' }, rtcpMux: true, ...(suite ? { enableSrtp: true, srtpCryptoSuite: suite } : {}) });

  /** Packets from here into the worker, over a link between two of its transports, and out of it again. */
  async function travel(codec: 'opus' | 'vp8', suite?: SrtpCryptoSuite): Promise<Buffer[]> {
    const { kind, ...rest } = CODECS[codec];
    const [direct, near, far] = [await router.createDirectTransport(), await plain(suite), await plain(suite)];
    const towards = ({ tuple, srtpParameters }: PlainTransport) => ({ ip: '127.0.0.1', port: tuple.localPort, ...(srtpParameters ? { srtpParameters } : {}) });
    await near.connect(towards(far));
    await far.connect(towards(near));
    const number = ssrc();
    const source = await direct.produce({ kind, rtpParameters: { codecs: [{ ...rest, rtcpFeedback: [] }], encodings: [{ ssrc: number }] } });
    const leaving = await near.consume({ producerId: source.id, rtpCapabilities: router.rtpCapabilities });
    const arriving = await far.produce({ kind, rtpParameters: leaving.rtpParameters });
    const sink = await direct.consume({ producerId: arriving.id, rtpCapabilities: router.rtpCapabilities });
    const came: Buffer[] = [];
    sink.on('rtp', (packet) => came.push(Buffer.from(readRtp(packet)!.payload)));
    for (let sequence = 0; sequence < PACKETS; sequence++) {
      const body = codec === 'opus' ? Buffer.concat([OPUS_SILENCE, Buffer.from([sequence & 0xff])]) : vp8Frame(sequence === 0, 1_000);
      source.send(writeRtp({ payloadType: rest.payloadType, marker: true, sequence, timestamp: sequence * 960, ssrc: number, extensions: new Map(), payload: body }));
      if (sequence % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await eventually(() => assert.equal(came.length, PACKETS));
    for (const transport of [direct, near, far]) transport.close();
    return came;
  }

  for (const codec of ['opus', 'vp8'] as const) {
    it(`carries ${codec} as it is`, async () => assert.equal((await travel(codec)).length, PACKETS));
    for (const suite of Object.keys(SUITES) as SrtpCryptoSuite[]) {
      it(`carries ${codec} by ${suite}`, async () => {
        const came = await travel(codec, suite);
        if (codec === 'opus') assert.deepEqual(came.map((payload) => payload.at(-1)), Array.from({ length: PACKETS }, (_, index) => index & 0xff));
      });
    }
  }

  for (const [suite, bytes] of Object.entries(SUITES) as [SrtpCryptoSuite, number][]) {
    it(`sends nothing readable by ${suite}, and takes nothing that was tampered with`, async () => {
      const socket = createSocket('udp4');
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
      const transport = await plain(suite);
      await transport.connect({ ip: '127.0.0.1', port: socket.address().port, srtpParameters: { cryptoSuite: suite, keyBase64: randomBytes(bytes).toString('base64') } });
      const number = ssrc();
      const direct = await router.createDirectTransport();
      const source = await direct.produce({ kind: 'audio', rtpParameters: { codecs: [CODECS.opus], encodings: [{ ssrc: number }] } });
      await transport.consume({ producerId: source.id, rtpCapabilities: router.rtpCapabilities });
      const payload = Buffer.from('a text that nobody may read on the way');
      const coming = once(socket, 'message') as Promise<[Buffer]>;
      source.send(writeRtp({ payloadType: 100, marker: true, sequence: 1, timestamp: 1, ssrc: number, extensions: new Map(), payload }));
      const [packet] = await coming;
      assert.equal(packet.includes(payload), false);
      assert.ok(packet.length > payload.length + 12 && packet.length <= payload.length + 12 + 60);

      const forged = ssrc();
      await transport.produce({ kind: 'audio', rtpParameters: { codecs: [CODECS.opus], encodings: [{ ssrc: forged }] } });
      socket.send(writeRtp({ payloadType: 100, marker: true, sequence: 1, timestamp: 1, ssrc: forged, extensions: new Map(), payload: Buffer.concat([payload, randomBytes(16)]) }), transport.tuple.localPort, '127.0.0.1');
      await eventually(async () => assert.ok((await transport.getStats())[0]!.bytesReceived > 0));
      assert.equal((await transport.getStats())[0]!.rtpBytesReceived, 0);
      for (const one of [transport, direct]) one.close();
      socket.close();
    });
  }
});
