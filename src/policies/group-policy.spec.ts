import assert from 'node:assert/strict';
import { DomainError } from '../lib/errors.js';
import { assertRunsGroup, canBringIn, canSeeGroup, canSeeInside, deciding, joining, type GroupAccess, type GroupJoinPolicy, type GroupMemberState, type GroupVisibility } from './group-policy.js';

const group = (visibility: GroupVisibility, joinPolicy: GroupJoinPolicy, state: GroupMemberState | null, role: 'OWNER' | 'ADMIN' | 'MEMBER' = 'MEMBER', memberCount = 3): GroupAccess => ({
  group: { id: 'g', visibility, joinPolicy, memberCount },
  membership: state && { role, state },
});
const outcome = (work: () => unknown): unknown => {
  try {
    return work() ?? 'ok';
  } catch (error) {
    assert.ok(error instanceof DomainError);
    return error.code;
  }
};

describe('groups', () => {
  const sight: [GroupVisibility, GroupMemberState | null, boolean, boolean][] = [
    ['PUBLIC', null, true, true],
    ['PUBLIC', 'REQUESTED', true, true],
    ['PUBLIC', 'MEMBER', true, true],
    ['PUBLIC', 'BANNED', false, false],
    ['PRIVATE', null, true, false],
    ['PRIVATE', 'REQUESTED', true, false],
    ['PRIVATE', 'MEMBER', true, true],
    ['PRIVATE', 'BANNED', false, false],
    ['SECRET', null, false, false],
    ['SECRET', 'REQUESTED', false, false],
    ['SECRET', 'MEMBER', true, true],
    ['SECRET', 'BANNED', false, false],
  ];
  for (const [visibility, state, seen, inside] of sight) {
    it(`a ${visibility} one is ${seen ? '' : 'not '}seen, its inside ${inside ? '' : 'not '}, by ${state ?? 'outsiders'}`, () => {
      assert.equal(canSeeGroup(group(visibility, 'OPEN', state)), seen);
      assert.equal(canSeeInside(group(visibility, 'OPEN', state)), inside);
    });
  }
  it('one that everybody has left does not exist', () => {
    assert.equal(canSeeGroup(group('PUBLIC', 'OPEN', null, 'MEMBER', 0)), false);
    assert.equal(canSeeGroup(null), false);
  });

  const join: [GroupVisibility, GroupJoinPolicy, GroupMemberState | null, string][] = [
    ['PUBLIC', 'OPEN', null, 'join'],
    ['PRIVATE', 'OPEN', null, 'join'],
    ['PUBLIC', 'OPEN', 'REQUESTED', 'join'],
    ['PUBLIC', 'OPEN', 'MEMBER', 'none'],
    ['PUBLIC', 'OPEN', 'BANNED', 'NOT_FOUND'],
    ['PUBLIC', 'REQUEST', null, 'request'],
    ['PRIVATE', 'REQUEST', null, 'request'],
    ['PUBLIC', 'REQUEST', 'REQUESTED', 'none'],
    ['PUBLIC', 'REQUEST', 'MEMBER', 'none'],
    ['PUBLIC', 'REQUEST', 'BANNED', 'NOT_FOUND'],
    ['PUBLIC', 'INVITE', null, 'FORBIDDEN'],
    ['PUBLIC', 'INVITE', 'REQUESTED', 'FORBIDDEN'],
    ['PUBLIC', 'INVITE', 'MEMBER', 'none'],
    ['SECRET', 'OPEN', null, 'NOT_FOUND'],
    ['SECRET', 'REQUEST', null, 'NOT_FOUND'],
    ['SECRET', 'REQUEST', 'REQUESTED', 'NOT_FOUND'],
    ['SECRET', 'INVITE', null, 'NOT_FOUND'],
    ['SECRET', 'OPEN', 'MEMBER', 'none'],
  ];
  for (const [visibility, policy, state, expected] of join) {
    it(`joining a ${visibility} ${policy} one as ${state ?? 'outsider'}: ${expected}`, () => assert.equal(outcome(() => joining(group(visibility, policy, state))), expected));
  }

  const decide: [GroupMemberState | null, boolean, string][] = [
    ['REQUESTED', true, 'admit'],
    ['REQUESTED', false, 'refuse'],
    ['MEMBER', true, 'none'],
    ['MEMBER', false, 'NOT_FOUND'],
    ['BANNED', true, 'NOT_FOUND'],
    ['BANNED', false, 'NOT_FOUND'],
    [null, true, 'NOT_FOUND'],
    [null, false, 'none'],
  ];
  for (const [state, accept, expected] of decide) it(`deciding ${accept ? 'for' : 'against'} ${state ?? 'nobody'}: ${expected}`, () => assert.equal(outcome(() => deciding(state, accept)), expected));

  it('are run by owner and admins; members are forbidden, outsiders of a secret one find nothing', () => {
    const as = (access: GroupAccess) => outcome(() => assertRunsGroup(access));
    assert.equal(as(group('PUBLIC', 'OPEN', 'MEMBER', 'OWNER')), 'ok');
    assert.equal(as(group('PUBLIC', 'OPEN', 'MEMBER', 'ADMIN')), 'ok');
    assert.equal(as(group('PUBLIC', 'OPEN', 'MEMBER')), 'FORBIDDEN');
    assert.equal(as(group('PUBLIC', 'OPEN', null)), 'FORBIDDEN');
    assert.equal(as(group('SECRET', 'OPEN', null)), 'NOT_FOUND');
  });

  it('take in by anybody’s hand only while they are open', () => {
    assert.equal(canBringIn(group('PUBLIC', 'OPEN', 'MEMBER')), true);
    assert.equal(canBringIn(group('PUBLIC', 'REQUEST', 'MEMBER')), false);
    assert.equal(canBringIn(group('PUBLIC', 'INVITE', 'MEMBER', 'ADMIN')), true);
    assert.equal(canBringIn(group('PUBLIC', 'OPEN', 'REQUESTED')), false);
  });
});
