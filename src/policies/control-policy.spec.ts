import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DomainError } from '../lib/errors.js';
import { assertControls, deny, grant, MAX_CONTROL_REQUESTS, release, request, type Control } from './control-policy.js';

const NOBODY: Control = { controllerId: null, requests: [] };
const codeOf = (act: () => unknown): string => {
  try {
    act();
    return 'done';
  } catch (error) {
    assert.ok(error instanceof DomainError);
    return error.code;
  }
};

describe('control of a shared page', () => {
  it('is asked for, given, used and released', () => {
    const asked = request(NOBODY, 'bob', 'ann');
    assert.deepEqual(asked, { controllerId: null, requests: ['bob'] });
    assert.equal(request(asked, 'bob', 'ann'), asked);
    assert.equal(codeOf(() => request(NOBODY, 'ann', 'ann')), 'FORBIDDEN');
    assert.equal(codeOf(() => grant(asked, 'bob', 'ann', 'bob')), 'FORBIDDEN');
    assert.equal(codeOf(() => grant(asked, 'ann', 'ann', 'carol')), 'STATE_CONFLICT');
    const given = grant(asked, 'ann', 'ann', 'bob');
    assert.deepEqual(given, { controllerId: 'bob', requests: [] });
    assert.equal(grant(given, 'ann', 'ann', 'bob'), given);
    assert.equal(codeOf(() => assertControls(given, 'bob')), 'done');
    assert.equal(codeOf(() => assertControls(given, 'ann')), 'FORBIDDEN');
    const two = request(given, 'carol', 'ann');
    assert.equal(codeOf(() => grant(two, 'ann', 'ann', 'carol')), 'STATE_CONFLICT');
    assert.equal(codeOf(() => deny(two, 'bob', 'ann', 'carol')), 'FORBIDDEN');
    assert.deepEqual(deny(two, 'ann', 'ann', 'carol'), given);
    assert.deepEqual(release(two, 'carol', 'ann'), given);
    for (const who of ['ann', 'bob']) assert.deepEqual(release(two, who, 'ann'), { controllerId: null, requests: ['carol'] });
    assert.equal(release(given, 'eve', 'ann'), given);
  });

  it('at most one controls, never the presenter, never one who has not asked; who asks is bounded', () => {
    const people = fc.constantFrom('ann', ...[...Array(MAX_CONTROL_REQUESTS + 2)].map((_, index) => `p${index}`));
    const acts = { request: (control: Control, who: string) => request(control, who, 'ann'), grant: (control: Control, who: string, other: string) => grant(control, who, 'ann', other), deny: (control: Control, who: string, other: string) => deny(control, who, 'ann', other), release: (control: Control, who: string) => release(control, who, 'ann') };
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...(Object.keys(acts) as (keyof typeof acts)[])), people, people), { maxLength: 120 }), (steps) => {
        let control = NOBODY;
        for (const [act, who, other] of steps) {
          const before = control;
          try {
            control = acts[act](control, who, other);
          } catch (error) {
            assert.ok(error instanceof DomainError);
            continue;
          }
          const { controllerId, requests } = control;
          assert.ok(controllerId !== 'ann' && !requests.includes('ann'));
          assert.ok(requests.length <= MAX_CONTROL_REQUESTS && new Set(requests).size === requests.length);
          assert.ok(controllerId === null || !requests.includes(controllerId));
          if (controllerId !== null && controllerId !== before.controllerId) assert.ok(act === 'grant' && who === 'ann' && before.requests.includes(controllerId) && before.controllerId === null);
        }
      }),
    );
  });
});
