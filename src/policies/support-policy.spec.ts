import assert from 'node:assert/strict';
import { DomainError } from '../lib/errors.js';
import { nextSupportState, SUPPORT_STATES, type SupportFacts, type SupportVerb } from './support-policy.js';

const outcome = (verb: SupportVerb, actor: string, facts: SupportFacts | null): string => {
  try {
    return nextSupportState(verb, actor, facts) ?? 'nothing';
  } catch (error) {
    assert.ok(error instanceof DomainError);
    return error.code;
  }
};

describe('support cases', () => {
  const at = (state: SupportFacts['state'], isAgent: boolean): SupportFacts => ({ state, askerId: 'asker', agentId: state === 'OPEN' ? null : 'agent', ownerId: 'owner', isAgent });
  const table: Record<string, [SupportVerb, string, boolean, string[]]> = {
    'an agent takes': ['take', 'colleague', true, ['ASSIGNED', 'STATE_CONFLICT', 'STATE_CONFLICT', 'STATE_CONFLICT']],
    'whoever has taken it takes it again': ['take', 'agent', true, ['ASSIGNED', 'nothing', 'STATE_CONFLICT', 'STATE_CONFLICT']],
    'the asker takes': ['take', 'asker', true, ['FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN']],
    'the owner takes, who is no agent': ['take', 'owner', false, ['FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN']],
    'a stranger takes': ['take', 'stranger', false, ['NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND']],
    'whoever has taken it resolves': ['resolve', 'agent', true, ['FORBIDDEN', 'RESOLVED', 'nothing', 'STATE_CONFLICT']],
    'the owner resolves': ['resolve', 'owner', false, ['STATE_CONFLICT', 'RESOLVED', 'nothing', 'STATE_CONFLICT']],
    'another agent resolves': ['resolve', 'colleague', true, ['FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN']],
    'the asker cancels': ['cancel', 'asker', false, ['CANCELLED', 'CANCELLED', 'STATE_CONFLICT', 'nothing']],
    'an agent cancels': ['cancel', 'agent', true, ['FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN']],
    'a stranger cancels': ['cancel', 'stranger', false, ['NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND']],
  };
  for (const [what, [verb, actor, isAgent, expected]] of Object.entries(table)) it(what, () => assert.deepEqual(SUPPORT_STATES.map((state) => outcome(verb, actor, at(state, isAgent))), expected));
  it('are not there where there are none', () => assert.equal(outcome('take', 'agent', null), 'NOT_FOUND'));
});
