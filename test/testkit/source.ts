import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readRtp } from '../../src/media/rtp.js';
import { CODECS, type Sending } from './rtc.js';

/** Real Opus or VP8 from ffmpeg's test sources, packet by packet of RTP at its real pace, until the answered function is called. */
export async function source(codec: 'opus' | 'vp8', take: (packet: Buffer) => void, frequency = 440): Promise<() => void> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const media =
    codec === 'opus'
      ? ['-f', 'lavfi', '-i', `sine=frequency=${frequency}`, '-c:a', 'libopus', '-b:a', '48k']
      : ['-f', 'lavfi', '-i', 'testsrc=size=320x240:rate=15', '-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '16', '-g', '15', '-b:v', '300k'];
  const ffmpeg = spawn('ffmpeg', ['-loglevel', 'error', '-nostdin', '-re', ...media, '-f', 'rtp', '-payload_type', String(CODECS[codec].payloadType), `rtp://127.0.0.1:${socket.address().port}?pkt_size=1200`], { stdio: 'ignore' });
  socket.on('message', (packet) => {
    if (readRtp(packet)) take(packet);
  });
  return () => {
    ffmpeg.kill('SIGKILL');
    socket.close();
  };
}

/** Sends what a source makes. */
export function play(sending: Sending, codec: 'opus' | 'vp8', frequency = 440): Promise<() => void> {
  return source(
    codec,
    (packet) => {
      if (sending.producer.closed) return;
      // The stream is the one that was negotiated: ffmpeg picks its own number.
      packet.writeUInt32BE(sending.ssrc, 8);
      sending.producer.send(packet);
      sending.sent++;
    },
    frequency,
  );
}
