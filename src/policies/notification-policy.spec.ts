import assert from 'node:assert/strict';
import fc from 'fast-check';
import { NOTIFICATION_KINDS, NOTIFICATION_LEVELS, type NotificationPreferences } from '../entities/notification.js';
import { contentOf, defaultLevel, isQuiet, judgePush, knownZone, levelAllows, LIVE_FOR_CERTAIN_MS, type PushFacts } from './notification-policy.js';

const now = new Date('2026-06-01T10:00:00Z');
const preferences: NotificationPreferences = { kinds: {}, content: 'TEXT', quiet: null };
const facts: PushFacts = { kind: 'DIRECT_MESSAGE', now, preferences, chat: { level: 'ALL', mutedUntil: null }, over: false, blocked: false, live: false, seenLiveAt: null };

describe('quiet hours', () => {
  const night = { from: 22 * 60, to: 7 * 60, zone: 'Europe/Zurich', calls: true };
  const quietAt = (time: string, hours = night) => isQuiet(hours, new Date(time));

  it('are by the clocks of the zone: the same hours in winter and in summer', () => {
    // 21:00 UTC is 22:00 in Zurich in winter, and 23:00 in summer.
    assert.deepEqual(['2026-01-10T20:59:59Z', '2026-01-10T21:00:00Z', '2026-01-11T05:59:59Z', '2026-01-11T06:00:00Z'].map((time) => quietAt(time)), [false, true, true, false]);
    assert.deepEqual(['2026-07-10T19:59:59Z', '2026-07-10T20:00:00Z', '2026-07-11T04:59:59Z', '2026-07-11T05:00:00Z'].map((time) => quietAt(time)), [false, true, true, false]);
  });

  it('hold in the nights in which clocks change', () => {
    // 29 March 2026: from 02:00 to 03:00 in Zurich. 25 October: the hour after 02:00 comes twice.
    const deep = { ...night, from: 2 * 60 + 30, to: 3 * 60 + 30 };
    assert.deepEqual(['2026-03-29T00:59:00Z', '2026-03-29T01:00:00Z', '2026-03-29T01:29:00Z', '2026-03-29T01:30:00Z'].map((time) => quietAt(time, deep)), [false, true, true, false]);
    assert.deepEqual(
      ['2026-10-25T00:29:00Z', '2026-10-25T00:30:00Z', '2026-10-25T01:00:00Z', '2026-10-25T01:30:00Z', '2026-10-25T02:29:00Z', '2026-10-25T02:30:00Z'].map((time) => quietAt(time, deep)),
      [false, true, false, true, true, false],
    );
  });

  it('lie within a day, go over midnight, or are none', () => {
    const zone = 'UTC';
    fc.assert(
      fc.property(fc.nat(1439), fc.nat(1439), fc.nat(1439), (from, to, minute) => {
        const quiet = isQuiet({ from, to, zone, calls: true }, new Date(Date.UTC(2026, 0, 1, 0, minute)));
        const inside = (minute - from + 1440) % 1440 < (to - from + 1440) % 1440;
        assert.equal(quiet, inside);
      }),
    );
  });

  it('know the zones of the world and nothing else', () => {
    assert.deepEqual(['Europe/Zurich', 'America/Argentina/Ushuaia', 'UTC'].map((name) => knownZone(name) !== null), [true, true, true]);
    for (const wrong of ['', 'Mars/Base', '+02:00', 'Europe/Zurich ', 'a'.repeat(100), '../etc']) assert.equal(knownZone(wrong), null, wrong);
  });
});

describe('what is pushed', () => {
  it('is what somebody wants, of a chat that is not muted', () => {
    const cases: [Partial<PushFacts>, ReturnType<typeof judgePush>][] = [
      [{}, 'send'],
      [{ over: true }, 'drop'],
      [{ blocked: true }, 'drop'],
      [{ preferences: { ...preferences, kinds: { DIRECT_MESSAGE: { push: false } } } }, 'drop'],
      [{ preferences: { ...preferences, kinds: { DIRECT_MESSAGE: { inApp: false }, MENTION: { push: false } } } }, 'send'],
      [{ chat: { level: 'ALL', mutedUntil: new Date(now.getTime() + 1) } }, 'drop'],
      [{ chat: { level: 'ALL', mutedUntil: now } }, 'send'],
      [{ chat: { level: 'MENTIONS', mutedUntil: null } }, 'drop'],
      [{ kind: 'MENTION', chat: { level: 'MENTIONS', mutedUntil: null } }, 'send'],
      [{ kind: 'MENTION', chat: { level: 'NOTHING', mutedUntil: null } }, 'drop'],
      [{ kind: 'MISSED_CALL', chat: { level: 'NOTHING', mutedUntil: new Date(now.getTime() + 1) } }, 'send'],
      [{ preferences: { ...preferences, quiet: { from: 0, to: 1439, zone: 'UTC', calls: false } } }, 'drop'],
      [{ kind: 'INCOMING_CALL', preferences: { ...preferences, quiet: { from: 0, to: 1439, zone: 'UTC', calls: false } } }, 'send'],
      [{ kind: 'INCOMING_CALL', preferences: { ...preferences, quiet: { from: 0, to: 1439, zone: 'UTC', calls: true } } }, 'drop'],
      [{ live: true }, 'wait'],
      [{ live: true, seenLiveAt: new Date(now.getTime() - LIVE_FOR_CERTAIN_MS + 1) }, 'wait'],
      [{ live: true, seenLiveAt: new Date(now.getTime() - LIVE_FOR_CERTAIN_MS) }, 'drop'],
      [{ live: false, seenLiveAt: new Date(now.getTime() - LIVE_FOR_CERTAIN_MS) }, 'send'],
      [{ kind: 'INCOMING_CALL', live: true }, 'drop'],
    ];
    for (const [given, verdict] of cases) assert.equal(judgePush({ ...facts, ...given }), verdict, JSON.stringify(given));
  });

  it('goes by levels that only narrow', () => {
    for (const kind of NOTIFICATION_KINDS) {
      const allowed = NOTIFICATION_LEVELS.map((level) => levelAllows(level, kind));
      assert.deepEqual(allowed, [...allowed].sort((a, b) => Number(b) - Number(a)), kind);
    }
    assert.deepEqual([defaultLevel({ kind: 'GROUP', memberCount: 100 }), defaultLevel({ kind: 'GROUP', memberCount: 101 }), defaultLevel({ kind: 'DIRECT', memberCount: 2 })], ['ALL', 'MENTIONS', 'ALL']);
  });

  it('never shows an encrypted text', () => {
    assert.deepEqual([contentOf('TEXT', false), contentOf('TEXT', true), contentOf('SENDER', true), contentOf('NOTHING', true)], ['TEXT', 'SENDER', 'SENDER', 'NOTHING']);
  });
});
