import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DomainError } from '../lib/errors.js';
import { assertCanRemove, assertRuns, heirOf, roleChange, type Heir, type MemberRole } from './member-policy.js';

const ROLES: MemberRole[] = ['OWNER', 'ADMIN', 'MEMBER'];
const outcome = (work: () => unknown): unknown => {
  try {
    return work() ?? 'ok';
  } catch (error) {
    assert.ok(error instanceof DomainError);
    return error.code;
  }
};

describe('roles', () => {
  it('those who run a chat or group are its owner and admins', () => {
    assert.deepEqual(ROLES.map((role) => outcome(() => assertRuns(role, 'chat'))), ['ok', 'ok', 'FORBIDDEN']);
  });

  describe('removing', () => {
    const table: [MemberRole, MemberRole, string][] = [
      ['OWNER', 'ADMIN', 'ok'],
      ['OWNER', 'MEMBER', 'ok'],
      ['ADMIN', 'OWNER', 'FORBIDDEN'],
      ['ADMIN', 'ADMIN', 'FORBIDDEN'],
      ['ADMIN', 'MEMBER', 'ok'],
      ['MEMBER', 'OWNER', 'FORBIDDEN'],
      ['MEMBER', 'ADMIN', 'FORBIDDEN'],
      ['MEMBER', 'MEMBER', 'FORBIDDEN'],
    ];
    for (const [actor, target, expected] of table) it(`${actor} removes ${target}: ${expected}`, () => assert.equal(outcome(() => assertCanRemove(actor, target, false)), expected));
    for (const role of ROLES) it(`${role} removes themself: STATE_CONFLICT`, () => assert.equal(outcome(() => assertCanRemove(role, role, true)), 'STATE_CONFLICT'));
  });

  describe('giving roles', () => {
    const table: [MemberRole, MemberRole, string][] = [
      ['ADMIN', 'OWNER', 'transfer'],
      ['ADMIN', 'ADMIN', 'none'],
      ['ADMIN', 'MEMBER', 'set'],
      ['MEMBER', 'OWNER', 'transfer'],
      ['MEMBER', 'ADMIN', 'set'],
      ['MEMBER', 'MEMBER', 'none'],
    ];
    for (const [target, to, expected] of table) it(`the owner makes ${target} ${to}: ${expected}`, () => assert.equal(outcome(() => roleChange('OWNER', target, to, false)), expected));
    const own: [MemberRole, string][] = [['OWNER', 'none'], ['ADMIN', 'STATE_CONFLICT'], ['MEMBER', 'STATE_CONFLICT']];
    for (const [to, expected] of own) it(`the owner makes themself ${to}: ${expected}`, () => assert.equal(outcome(() => roleChange('OWNER', 'OWNER', to, true)), expected));
    for (const actor of ['ADMIN', 'MEMBER'] as const) {
      for (const target of ROLES) for (const to of ROLES) it(`${actor} makes ${target} ${to}: FORBIDDEN`, () => assert.equal(outcome(() => roleChange(actor, target, to, false)), 'FORBIDDEN'));
    }
  });

  describe('the heir of an owner', () => {
    const at = (ms: number) => new Date(ms);
    it('is the admin who has been in longest, else such a member, else nobody', () => {
      const member = { userId: 'a', role: 'MEMBER' as const, joinedAt: at(1), idle: false };
      const later = { userId: 'b', role: 'ADMIN' as const, joinedAt: at(3), idle: false };
      const sooner = { userId: 'c', role: 'ADMIN' as const, joinedAt: at(2), idle: false };
      assert.equal(heirOf([member, later, sooner]), sooner);
      assert.equal(heirOf([{ ...member, joinedAt: at(5) }, member]), member);
      assert.equal(heirOf([]), null);
      assert.equal(heirOf([{ ...sooner, idle: true }, member]), member, 'whoever can run nothing comes last');
      assert.equal(heirOf([{ ...member, idle: true }, { ...later, idle: true }])!.userId, 'b');
    });

    it('does not depend on the order in which members are given', () => {
      const members = fc.uniqueArray(
        fc.record({ userId: fc.uuid(), role: fc.constantFrom<MemberRole>('ADMIN', 'MEMBER'), joinedAt: fc.integer({ min: 0, max: 3 }).map(at), idle: fc.boolean() }),
        { selector: (member) => member.userId, maxLength: 8 },
      );
      fc.assert(fc.property(members, (given: Heir[]) => assert.deepEqual(heirOf(given), heirOf([...given].reverse()))));
    });

    it('leaves exactly one owner, whatever a chat goes through', () => {
      const step = fc.record({ kind: fc.constantFrom('leave', 'remove', 'role', 'join'), actor: fc.nat(5), target: fc.nat(5), to: fc.constantFrom(...ROLES) });
      fc.assert(
        fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
          const roles = new Map<number, MemberRole>([[0, 'OWNER']]);
          for (const { kind, actor, target, to } of steps) {
            const [mine, theirs] = [roles.get(actor), roles.get(target)];
            if (kind === 'join' && roles.size && !mine) roles.set(actor, 'MEMBER');
            if (!mine) continue;
            if (kind === 'leave') {
              roles.delete(actor);
              const heir = mine === 'OWNER' && heirOf([...roles].map(([id, role]) => ({ userId: String(id), role, joinedAt: at(id), idle: id % 2 === 0 })));
              if (heir) roles.set(Number(heir.userId), 'OWNER');
            }
            if (!theirs) continue;
            if (kind === 'remove' && outcome(() => assertCanRemove(mine, theirs, actor === target)) === 'ok') roles.delete(target);
            if (kind === 'role') {
              const change = outcome(() => roleChange(mine, theirs, to, actor === target));
              if (change === 'transfer') roles.set(actor, 'ADMIN');
              if (change === 'transfer' || change === 'set') roles.set(target, to);
            }
            assert.equal([...roles.values()].filter((role) => role === 'OWNER').length, roles.size ? 1 : 0);
          }
        }),
      );
    });
  });
});
