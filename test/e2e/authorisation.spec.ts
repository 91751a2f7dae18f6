import assert from 'node:assert/strict';
import { isObjectType } from 'graphql';
import { ADMINISTRATOR } from '../matrix/administrator.js';
import { ask, askObject, askToListen, each, everythingAsked, fieldsOf, forAll, rehearsing, schema, type Asked } from '../matrix/ask.js';
import { EXPECTED } from '../matrix/expected.js';
import { INSIDE, insiders } from '../matrix/inside.js';
import { findables, OBJECTS, SHOWN } from '../matrix/objects.js';
import { OUTSIDE, OUTSIDERS } from '../matrix/outsiders.js';
import { setStage, type Stage } from '../matrix/stage.js';
import { ROLES, row, type Role } from '../matrix/table.js';
import { digest } from '../testkit/digest.js';

const EVERYTHING = everythingAsked(EXPECTED.keys());
const CALLS = EVERYTHING.filter(({ kind }) => kind !== 'subscription');
const STREAMS = EVERYTHING.filter(({ kind }) => kind === 'subscription');
/** Without the rows that ask it of something else. */
const plain = ({ aside }: Asked) => aside === null;
/** What an ended thing has in memory does not come back when its transaction is rolled back: these come after all others. */
const ENDS = /^(close|leave|end|remove|delete|revoke)/;
const ends = ({ row }: Asked) => ENDS.test(row);

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
    const names = new Set(EVERYTHING.map((asked) => asked.row));
    const missing: string[] = [];
    await rehearsing(async () => {
      for (const asked of CALLS.filter((one) => !EXPECTED.has(one.row))) {
        const answers = forAll(() => '?');
        for (const role of ROLES) answers[role] = await ask(stage, asked, role);
        missing.push(row(asked.row, answers));
      }
    });
    missing.push(...STREAMS.map((asked) => asked.row).filter((name) => !EXPECTED.has(name)));
    assert.equal(missing.join('\n'), '', 'fields without a row: judge what is answered now, and write it into test/matrix');
    assert.deepEqual([...EXPECTED.keys()].filter((name) => !names.has(name)), []);
  });

  for (const role of ROLES) {
    const refused = (asked: Asked) => EXPECTED.has(asked.row) && EXPECTED.get(asked.row)![role] !== 'ok';
    it(`${role} is refused what is refused, by its code, and nothing changes`, async () => {
      const before = await digest(stage.world);
      const found = new Map<string, string>();
      await each(CALLS.filter(refused), async (asked) => void found.set(asked.row, await ask(stage, asked, role)));
      assert.deepEqual(differences(found, (name) => EXPECTED.get(name)![role], role), []);
      assert.deepEqual(await digest(stage.world), before);
    });
  }

  for (const role of ROLES) {
    const allowed = (asked: Asked) => EXPECTED.get(asked.row)?.[role] === 'ok';
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
        const wanted = CALLS.filter(allowed);
        await each(wanted.filter((asked) => !ends(asked)), async (asked) => void found.set(asked.row, await ask(stage, asked, role)));
        for (const asked of wanted.filter(ends)) found.set(asked.row, await ask(stage, asked, role));
      });
      assert.deepEqual(differences(found, () => 'ok', role), []);
      const streams = await askToListen(stage, STREAMS, role, STREAMS.filter((asked) => EXPECTED.get(asked.row)?.[role] !== 'ok').length);
      assert.deepEqual(differences(streams, (name) => EXPECTED.get(name)?.[role], role), []);
    });
  }

  for (const role of OUTSIDERS) {
    const { otherwise, but } = OUTSIDE[role];
    const expected = (name: string) => but[name] ?? otherwise;
    it(`${role} is refused all that is not named, and sees of each object what is theirs to see`, async () => {
      // When a key was used is noted once a minute, and on a slow machine the last time was longer ago.
      await ask(stage, CALLS[0]!, role);
      const before = await digest(stage.world);
      const found = new Map<string, string>();
      await each(CALLS.filter(plain).filter((asked) => expected(asked.row) !== 'ok'), async (asked) => void found.set(asked.row, await ask(stage, asked, role)));
      const after = await digest(stage.world);
      await rehearsing(async () => {
        const open = CALLS.filter(plain).filter((asked) => expected(asked.row) === 'ok');
        for (const asked of open.sort((a, b) => Number(ends(a)) - Number(ends(b)))) found.set(asked.row, await ask(stage, asked, role));
      });
      const streams = STREAMS.filter(plain);
      for (const [name, answer] of await askToListen(stage, streams, role, streams.filter((asked) => expected(asked.row) !== 'ok').length)) found.set(name, answer);
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

  it('what is FORBIDDEN to everybody who is signed in is so for their role: an administrator is answered', async () => {
    const closed = CALLS.filter((asked) => ROLES.every((role) => role === 'nobody' || role === 'expired' || EXPECTED.get(asked.row)?.[role] === 'forbidden'));
    const found: Record<string, string> = {};
    await rehearsing(async () => {
      for (const asked of closed) found[asked.row] = await ask(stage, asked, 'administrator');
    });
    assert.deepEqual(found, ADMINISTRATOR);
  });

  it('a field of what comes only inside something else has been looked at', () => {
    assert.deepEqual(insiders(findables(stage.things).map(({ type }) => type.name)), INSIDE, 'whoever sees what holds it sees the new field: judge it, then name it in test/matrix/inside.ts');
  });

  it('every object that can be asked for by its id is among those looked at', () => {
    const byId = fieldsOf(schema.getQueryType()).filter(({ args }) => args.length === 1 && args[0]!.name === 'id').map(({ type }) => String(type).replace('!', ''));
    const nodes = Object.values(schema.getTypeMap()).filter((type) => isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Node')).map(({ name }) => name);
    const looked = new Set(findables(stage.things).map(({ type }) => type.name));
    assert.deepEqual([...byId, ...nodes].filter((name) => name !== 'Node' && !looked.has(name)), []);
  });
});
