import assert from 'node:assert/strict';
import { declaredKind, judgeType, servedAs } from './file-types.js';

const judge = (contentType: string, detected: string | null, voice = false) => judgeType({ kind: declaredKind(contentType, voice)!, contentType }, detected);

describe('what the real bytes make of what was declared', () => {
  const CASES: [declared: string, detected: string | null, verdict: ReturnType<typeof judge>][] = [
    ['image/jpeg', 'image/jpeg', { kind: 'IMAGE', contentType: 'image/jpeg' }],
    ['image/jpg', 'image/png', { kind: 'IMAGE', contentType: 'image/png' }],
    ['image/png', null, 'TYPE_MISMATCH'],
    ['image/png', 'application/pdf', 'TYPE_MISMATCH'],
    ['image/heic', 'image/heic', 'UNSUPPORTED'],
    ['image/svg+xml', 'application/xml', { kind: 'OTHER', contentType: 'image/svg+xml' }],
    ['image/svg+xml', null, { kind: 'OTHER', contentType: 'image/svg+xml' }],
    ['video/mp4', 'video/mp4', { kind: 'VIDEO', contentType: 'video/mp4' }],
    ['video/mp4', null, 'TYPE_MISMATCH'],
    ['audio/webm', 'video/webm', { kind: 'AUDIO', contentType: 'audio/webm' }],
    ['audio/ogg', 'audio/ogg', { kind: 'AUDIO', contentType: 'audio/ogg' }],
    ['audio/mpeg', 'image/png', 'TYPE_MISMATCH'],
    ['text/plain', null, { kind: 'OTHER', contentType: 'text/plain' }],
    ['text/plain', 'application/zip', { kind: 'OTHER', contentType: 'text/plain' }],
    ['application/pdf', 'image/jpeg', 'TYPE_MISMATCH'],
    ['application/pdf', 'application/x-msdownload', 'TYPE_MISMATCH'],
    ['application/octet-stream', 'application/x-msdownload', { kind: 'OTHER', contentType: 'application/x-msdownload' }],
    ['application/octet-stream', 'image/jpeg', { kind: 'IMAGE', contentType: 'image/jpeg' }],
    ['application/octet-stream', 'image/heic', 'UNSUPPORTED'],
    ['application/octet-stream', 'video/mp4', { kind: 'VIDEO', contentType: 'video/mp4' }],
  ];
  for (const [declared, detected, verdict] of CASES) it(`${declared}, which is ${detected ?? 'nothing known'}`, () => assert.deepEqual(judge(declared, detected), verdict));

  it('a voice message is sound, in whatever browsers record it', () => {
    assert.deepEqual(judge('video/webm', 'video/webm', true), { kind: 'VOICE', contentType: 'audio/webm' });
    assert.equal(declaredKind('text/plain', true), null);
  });

  it('what can run is served as bytes to be saved', () => {
    for (const type of ['text/html', 'image/svg+xml', 'application/xhtml+xml', 'text/javascript', 'application/pdf', 'text/plain', 'image/tiff']) assert.deepEqual(servedAs(type), { type: 'application/octet-stream', inline: false });
    assert.deepEqual(servedAs('image/webp'), { type: 'image/webp', inline: true });
  });
});
