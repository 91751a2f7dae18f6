import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FileUrls } from './file-urls.js';

const TTL = 3_600;
const make = (key = 'a key') => new FileUrls({ key, filesUrl: 'https://files.example.com/', cdnUrl: null, ttlSeconds: TTL });
const file = { id: '01a222e5-3d1e-738b-90e7-380b1e870eb2' };
const at = (seconds: number) => new Date(seconds * 1000);
const pathOf = (url: string) => new URL(url).pathname;

describe('links to files', () => {
  it('are the same for all who ask within a step, and good for one to two steps', () => {
    const seconds = fc.integer({ min: 0, max: 4_000_000_000 });
    fc.assert(
      fc.property(seconds, seconds, (one, other) => {
        const [first, second] = [make().of(file, 'original', at(one)), make().of(file, 'original', at(other))];
        assert.equal(first === second, Math.floor(one / TTL) === Math.floor(other / TTL));
        const ends = make().read(pathOf(first), at(one))!.expiresAt.getTime() / 1000;
        assert.ok(ends - one > TTL && ends - one <= 2 * TTL);
        assert.ok(make().read(pathOf(first), at(ends - 1)));
        assert.equal(make().read(pathOf(first), at(ends)), null);
      }),
    );
  });

  it('are good for three quarters of a step still when they have been kept, however short a step is', () => {
    for (const ttlSeconds of [60, TTL, 604_800]) {
      const urls = new FileUrls({ key: 'k', filesUrl: null, cdnUrl: null, ttlSeconds });
      const made = at(2 * ttlSeconds - 1); // the worst moment: the step ends
      const { expiresAt } = urls.read(urls.of(file, 'original', made), made)!;
      const left = expiresAt.getTime() - made.getTime() - urls.keepMs;
      assert.ok(left >= 0.75 * ttlSeconds * 1_000, `${left} ms of ${ttlSeconds} s`);
    }
  });

  it('stand for nothing else: not another file, key, part of it, time, or purpose', () => {
    const now = at(1_000_000);
    const path = pathOf(make().of(file, 'thumbnail', now));
    assert.deepEqual(make().read(path, now), { fileId: file.id, name: 'thumbnail', expiresAt: at((Math.floor(1_000_000 / TTL) + 2) * TTL) });
    assert.equal(make('another key').read(path, now), null);
    for (const [from, to] of [['01a222e5', '01a222e6'], ['thumbnail', 'original'], ['/files/', '/uploads/'], [/\/(\d+)\//, '/9999999999/'], [/.$/, '_']] as const) {
      const forged = path.replace(from, to);
      assert.ok(forged === path || make().read(forged, now) === null, forged);
      assert.equal(make().readUpload(forged, now), null);
    }
    fc.assert(fc.property(fc.string(), (text) => make().read(text, now) === null && make().readUpload(text, now) === null));
  });

  it('name the CDN for what is fetched, and never for what is sent', () => {
    const urls = new FileUrls({ key: 'k', filesUrl: 'https://files.example.com', cdnUrl: 'https://cdn.example.com', ttlSeconds: TTL });
    assert.ok(urls.of(file, 'original', at(1)).startsWith('https://cdn.example.com/files/'));
    const upload = urls.upload(file.id, 3, at(5_000));
    assert.ok(upload.startsWith('https://files.example.com/uploads/'));
    assert.deepEqual(urls.readUpload(pathOf(upload), at(4_999)), { fileId: file.id, part: 3 });
    assert.equal(urls.readUpload(pathOf(upload), at(5_000)), null);
  });
});
