import assert from 'node:assert/strict';
import { isObjectType, type GraphQLField } from 'graphql';
import { ask, askObject, askToListen, each, fieldsOf, forAll, rehearsing, schema } from '../matrix/ask.js';
import { EXPECTED } from '../matrix/expected.js';
import { findables, OBJECTS, SHOWN } from '../matrix/objects.js';
import { OUTSIDE, OUTSIDERS } from '../matrix/outsiders.js';
import { setStage, type Stage } from '../matrix/stage.js';
import { ROLES, row, type Role } from '../matrix/table.js';
import { digest } from '../testkit/digest.js';

const KINDS = [['query', fieldsOf(schema.getQueryType())], ['mutation', fieldsOf(schema.getMutationType())]] as const;
const STREAMS = fieldsOf(schema.getSubscriptionType());
/** What an ended thing has in memory does not come back when its transaction is rolled back: these come after all others. */
const ENDS = /^(close|leave|end|remove|delete|revoke)/;

/**
 * Who may do what (test/matrix): each field of Query, Mutation and Subscription, and of each object that one can ask for, by each role. A field without
 * a row fails, and its failure tells what is answered now: to be judged, then written into the table of its domain.
 */
describe('who may do what', function () {
  this.timeout(120_000);
  let stage: Stage;
  before(async () => (stage = await setStage()));
  after(() => stage.stop());

  const differences = (found: Map<string, string>, expected: (name: string) => string | undefined, role: Role) =>
    [...found].flatMap(([name, answer]) => (answer === expected(name) ? [] : [`${name}: ${role} was answered ${answer}, not ${expected(name)}`]));

  it('every field has its row, and no row is left of one that is gone', async () => {
    const names = new Set([...KINDS.flatMap(([, fields]) => fields), ...STREAMS].map(({ name }) => name));
    const missing: string[] = [];
    await rehearsing(async () => {
      for (const [kind, fields] of KINDS) {
        for (const field of fields.filter(({ name }) => !EXPECTED.has(name))) {
          const answers = forAll(() => '?');
          for (const role of ROLES) answers[role] = await ask(stage, kind, field, role);
          missing.push(row(field.name, answers));
        }
      }
    });
    missing.push(...STREAMS.filter(({ name }) => !EXPECTED.has(name)).map(({ name }) => name));
    assert.equal(missing.join('\n'), '', 'fields without a row: judge what is answered now, and write it into test/matrix');
    assert.deepEqual([...EXPECTED.keys()].filter((name) => !names.has(name)), []);
  });

  for (const role of ROLES) {
    const refused = ({ name }: GraphQLField<unknown, unknown>) => EXPECTED.has(name) && EXPECTED.get(name)![role] !== 'ok';
    it(`${role} is refused what is refused, by its code, and nothing changes`, async () => {
      const before = await digest(stage.world);
      const found = new Map<string, string>();
      for (const [kind, fields] of KINDS) await each(fields.filter(refused), async (field) => void found.set(field.name, await ask(stage, kind, field, role)));
      assert.deepEqual(differences(found, (name) => EXPECTED.get(name)![role], role), []);
      assert.deepEqual(await digest(stage.world), before);
    });
  }

  for (const role of ROLES) {
    const allowed = ({ name }: GraphQLField<unknown, unknown>) => EXPECTED.get(name)?.[role] === 'ok';
    it(`${role} may do what is allowed, and see of each object what is theirs to see`, async () => {
      const found = new Map<string, string>();
      const seen: string[] = [];
      const expectedOf = (type: string, field: string) => {
        if (OBJECTS.has(`${type}.${field}`)) return OBJECTS.get(`${type}.${field}`)![role];
        return SHOWN[type]?.includes(field) ? 'ok' : SHOWN[type]?.includes(`${field}?`) ? 'empty' : 'a row, or a place among what is shown';
      };
      await each(findables(stage.things), async (findable) => {
        const name = findable.type.name;
        const answers = await askObject(stage, findable, role);
        const whole = typeof answers === 'string' ? answers : 'ok';
        if (whole !== OBJECTS.get(name)?.[role]) seen.push(`${name}: ${role} was answered ${whole}, not ${OBJECTS.get(name)?.[role]}`);
        if (typeof answers === 'string') return;
        for (const [field, answer] of answers) {
          const expected = expectedOf(name, field);
          const fits = expected === 'empty' ? answer === 'null' || answer === '-' : answer === expected;
          if (!fits) seen.push(`${name}.${field}: ${role} was answered ${answer}, not ${expected}`);
        }
      });
      assert.deepEqual(seen.sort(), []);
      await rehearsing(async () => {
        for (const [kind, fields] of KINDS) {
          const wanted = fields.filter(allowed);
          await each(wanted.filter(({ name }) => !ENDS.test(name)), async (field) => void found.set(field.name, await ask(stage, kind, field, role)));
          for (const field of wanted.filter(({ name }) => ENDS.test(name))) found.set(field.name, await ask(stage, kind, field, role));
        }
      });
      assert.deepEqual(differences(found, () => 'ok', role), []);
      const streams = await askToListen(stage, role, STREAMS.filter(refusedStream(role)).length);
      assert.deepEqual(differences(streams, (name) => EXPECTED.get(name)?.[role], role), []);
    });
  }

  for (const role of OUTSIDERS) {
    const { otherwise, but } = OUTSIDE[role];
    const expected = (name: string) => but[name] ?? otherwise;
    it(`${role} is refused all that is not named, and sees of each object what is theirs to see`, async () => {
      const before = await digest(stage.world);
      const found = new Map<string, string>();
      for (const [kind, fields] of KINDS) await each(fields.filter(({ name }) => expected(name) !== 'ok'), async (field) => void found.set(field.name, await ask(stage, kind, field, role)));
      const after = await digest(stage.world);
      await rehearsing(async () => {
        const last = ({ name }: GraphQLField<unknown, unknown>) => Number(ENDS.test(name));
        for (const [kind, fields] of KINDS) for (const field of fields.filter(({ name }) => expected(name) === 'ok').sort((a, b) => last(a) - last(b))) found.set(field.name, await ask(stage, kind, field, role));
      });
      for (const [name, answer] of await askToListen(stage, role, STREAMS.filter(({ name }) => expected(name) !== 'ok').length)) found.set(name, answer);
      await each(findables(stage.things), async (findable) => {
        const answers = await askObject(stage, findable, role);
        if (typeof answers === 'string') found.set(findable.type.name, answers);
        else for (const [field, answer] of answers) found.set(`${findable.type.name}.${field}`, answer);
      });
      const wrong = [...found].flatMap(([name, answer]) => (answer === expected(name) ? [] : [`${name}: ${role} was answered ${answer}, not ${expected(name)}`]));
      assert.deepEqual(wrong.sort(), []);
      assert.deepEqual(after, before);
      assert.deepEqual(Object.keys(but).filter((name) => !found.has(name)), [], 'named, and not there');
    });
  }

  it('every object that can be asked for by its id is among those looked at', () => {
    const byId = fieldsOf(schema.getQueryType()).filter(({ args }) => args.length === 1 && args[0]!.name === 'id').map(({ type }) => String(type).replace('!', ''));
    const nodes = Object.values(schema.getTypeMap()).filter((type) => isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Node')).map(({ name }) => name);
    const looked = new Set(findables(stage.things).map(({ type }) => type.name));
    assert.deepEqual([...byId, ...nodes].filter((name) => name !== 'Node' && !looked.has(name)), []);
  });
});

const refusedStream = (role: Role) => ({ name }: GraphQLField<unknown, unknown>) => EXPECTED.get(name)?.[role] !== 'ok';
