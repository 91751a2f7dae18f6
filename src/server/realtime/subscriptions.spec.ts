import assert from 'node:assert/strict';
import { buildSchema } from 'graphql';
import { groupOf, ListSink } from '../../../test/testkit/fake-groups.js';
import type { Database } from '../../db/database.js';
import { DomainError } from '../../lib/errors.js';
import type { Viewer } from '../../resolvers/context.js';
import { DeliveredEvent } from '../../services/chat-events.js';
import { Engine, type Prepared } from '../engine.js';
import type { ErrorMapper } from '../errors.js';
import { RenderableEvent, type RenderGroup } from './render-group.js';
import { Subscriptions, type Source } from './subscriptions.js';

const schema = buildSchema('type Query { now: Int } type Subscription { chatEvents(chatId: ID!, words: String, after: String): Int }');
const engine = new Engine(schema, { marked: schema, rules: [], maxTokens: 1_000, suggest: true });
const QUERY = 'subscription ($chatId: ID!, $words: String, $after: String) { chatEvents(chatId: $chatId, words: $words, after: $after) }';
const viewer: Viewer = { userId: '00000000-0000-4000-8000-000000000001', sessionId: '00000000-0000-4000-8000-000000000002', role: 'USER' };

describe('Subscriptions', () => {
  const groups: RenderGroup[] = [];
  const source: Source = { open: async ({ group }) => (groups.push(group), () => undefined) };
  const errors = { map: (error: Error) => ({ message: error.message, extensions: error instanceof DomainError ? { code: error.code, ...error.details } : { code: error.name } }) };
  let subscriptions: Subscriptions;
  beforeEach(() => {
    groups.length = 0;
    subscriptions = new Subscriptions({ chatEvents: source }, {} as Database, { now: () => new Date(0) }, errors as unknown as ErrorMapper);
  });

  async function open(variables: Record<string, unknown>, query = QUERY): Promise<{ sink: ListSink; end: () => void }> {
    const sink = new ListSink();
    const end = await subscriptions.open({ viewer, guest: null }, { id: 'test', address: '' }, engine.prepare({ query }) as Prepared, variables, {}, sink);
    return { sink, end };
  }

  it('keeps nothing that the operation has no place for, nor is a group another for it', async () => {
    const ends = [await open({ chatId: 'a', ballast: 'x'.repeat(1_000_000) }), await open({ ballast: 1, chatId: 'a' }), await open({ after: 'here', chatId: 'a' })];
    assert.equal(subscriptions.groups, 1);
    assert.equal(new Set(groups).size, 1);
    assert.ok(groups[0]!.key.length < 100, 'however long the document');
    assert.deepEqual((groups[0] as unknown as { variables: object }).variables, { chatId: 'a' }, 'the ballast is gone');
    for (const { end } of ends) end();
    assert.equal(subscriptions.groups, 0);
  });

  it('tells groups apart by document and variables', async () => {
    const named = QUERY.replace('($', 'named ($');
    for (const variables of [{ chatId: 'a' }, { chatId: 'b' }, { chatId: 'a', words: 'b' }, { chatId: 'a', words: null }]) for (const query of [QUERY, named]) await open(variables, query);
    assert.equal(new Set(groups.map(({ key }) => key)).size, 8);
  });

  it('takes variables of 32 KiB, cursors aside', async () => {
    const { sink } = await open({ chatId: 'a', words: 'x'.repeat(1_000_000) });
    assert.deepEqual([sink.errors, subscriptions.groups], [['INVALID_INPUT'], 0]);
    const cursor = await open({ chatId: 'a', words: 'x'.repeat(30_000), after: 'x'.repeat(100_000) });
    assert.deepEqual([cursor.sink.errors, subscriptions.groups], [[], 1]);
  });
});

describe('RenderableEvent', () => {
  it('keeps for those who come back what 32 groups have made of it', () => {
    const event = new RenderableEvent(new DeliveredEvent('ChatUpdated', 'chat:00000000-0000-4000-8000-0000000000c1', 'epoch', 1, new Date(0), {}));
    const all = Array.from({ length: 100 }, (_, number) => groupOf(() => ({ data: number }), `group ${number}`));
    const render = (of: typeof all) => of.map((group) => JSON.parse((event.for(group, 1) as Buffer).toString()) as { data: number }).map(({ data }) => data);
    const numbers = all.map((_, number) => number);
    assert.deepEqual(render(all), numbers);
    assert.equal(event.kept, 100, 'while it is written');
    event.settle();
    assert.equal(event.kept, 32);
    assert.deepEqual(render(all.slice(-32)), numbers.slice(-32));
    assert.deepEqual(all.slice(-32).map(({ executions }) => executions), Array(32).fill(1));
    // The others are served all the same.
    assert.deepEqual(render(all.slice(0, 5)), [0, 1, 2, 3, 4]);
    event.settle();
    assert.equal(event.kept, 32);
  });
});
