import assert from 'node:assert/strict';
import { nextTime, type ScheduleRule } from './schedule-rule.js';

const rule = (more: Partial<ScheduleRule>): ScheduleRule => ({ every: 'DAY', hours: null, at: '09:30', weekdays: [], zone: 'Europe/Zurich', ...more });
const next = (more: Partial<ScheduleRule>, after: string) => nextTime(rule(more), new Date(after)).toISOString();

describe('when a schedule is next', () => {
  it('each day, by the clocks of its zone', () => {
    assert.equal(next({}, '2026-01-10T08:29:59.999Z'), '2026-01-10T08:30:00.000Z');
    assert.equal(next({}, '2026-01-10T08:30:00Z'), '2026-01-11T08:30:00.000Z');
    assert.equal(next({}, '2026-07-10T08:30:00Z'), '2026-07-11T07:30:00.000Z');
    assert.equal(next({ zone: 'Asia/Kathmandu', at: '00:00' }, '2026-01-10T12:00:00Z'), '2026-01-10T18:15:00.000Z');
    assert.equal(next({ zone: 'America/Los_Angeles', at: '23:59' }, '2026-01-10T07:59:00Z'), '2026-01-11T07:59:00.000Z');
    assert.equal(next({ zone: 'Pacific/Kiritimati', at: '01:00' }, '2025-12-31T10:30:00Z'), '2025-12-31T11:00:00.000Z');
  });
  it('once a day, also where clocks skip the time or show it twice', () => {
    assert.equal(next({ at: '02:30' }, '2026-03-28T12:00:00Z'), '2026-03-29T01:30:00.000Z');
    assert.equal(next({ at: '02:30' }, '2026-03-29T01:30:00Z'), '2026-03-30T00:30:00.000Z');
    assert.equal(next({ at: '02:30' }, '2026-10-24T12:00:00Z'), '2026-10-25T00:30:00.000Z');
    assert.equal(next({ at: '02:30' }, '2026-10-25T00:30:00Z'), '2026-10-26T01:30:00.000Z');
  });
  it('on some days of the week', () => {
    const weekdays: ScheduleRule['weekdays'] = ['FRIDAY', 'MONDAY'];
    assert.equal(next({ every: 'WEEK', weekdays }, '2026-01-10T12:00:00Z'), '2026-01-12T08:30:00.000Z');
    assert.equal(next({ every: 'WEEK', weekdays }, '2026-01-12T08:30:00Z'), '2026-01-16T08:30:00.000Z');
    assert.equal(next({ every: 'WEEK', weekdays: ['MONDAY'] }, '2026-01-12T08:30:00Z'), '2026-01-19T08:30:00.000Z');
  });
  it('every so many hours', () => assert.equal(next({ every: 'HOURS', hours: 36 }, '2026-03-28T12:00:00Z'), '2026-03-30T00:00:00.000Z'));
  it('a year of days has as many times as days, in every zone that has a summer', () => {
    for (const zone of ['Europe/Zurich', 'America/New_York', 'Australia/Lord_Howe', 'Africa/Casablanca', 'America/Santiago']) {
      for (const at of ['00:00', '00:30', '02:00', '02:30', '23:30']) {
        let [moment, times] = [new Date('2026-01-01T12:00:00Z'), 0];
        for (; moment < new Date('2027-01-01T12:00:00Z'); times++) moment = nextTime(rule({ zone, at }), moment);
        assert.ok(Math.abs(times - 366) <= 1, `${zone} ${at}: ${times}`);
      }
    }
  });
});
