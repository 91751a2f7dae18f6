import assert from 'node:assert/strict';
import pg from 'pg';
import { readPlan, refusals, tablesOf, type Table } from '../../scripts/lib/places.js';
import { createTestDatabase, type TestDatabase } from '../testkit/database.js';

describe('docs/SCALE.md says where tables lie when PostgreSQL is many nodes', () => {
  const { places, refused } = readPlan();
  let database: TestDatabase;
  let tables: Table[];
  before(async function () {
    this.timeout(60_000);
    database = await createTestDatabase();
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    tables = await tablesOf(client).finally(() => client.end());
  });
  after(() => database.drop());

  it('every table has a place, and every place is of a table', () => {
    assert.deepEqual([...places.keys()].sort(), tables.map(({ name }) => name));
  });

  it('what Citus would refuse of that is what the document says it would, and nothing else: a new table has its chat, person or file in every key', () => {
    assert.deepEqual(tables.flatMap((table) => refusals(table, places)).sort(), [...refused].sort());
  });

  it('and sees a key without its column, a table without it, a reference to another node, and a table without a place', () => {
    const key = { index: 'notes_pkey', columns: ['id'] };
    const at = (table: string, more: Partial<Table>) => refusals({ name: table, columns: ['chat_id'], unique: [], references: [], ...more }, places);
    assert.deepEqual(at('notes', {}), ['`notes` has no place']);
    assert.deepEqual(at('polls', { unique: [key, { index: 'good', columns: ['n', 'chat_id'] }] }), ['`notes_pkey`']);
    assert.deepEqual(at('polls', { columns: ['id'] }), ['`polls.chat_id`']);
    const refers = (to: string, columns: string[], their: string[]) => ({ references: [{ name: '', to, columns, their }] });
    assert.deepEqual(at('polls', refers('chats', ['chat_id'], ['id'])), []);
    assert.deepEqual(at('polls', refers('users', ['author'], ['id'])), []);
    assert.deepEqual(at('polls', refers('chats', ['other'], ['id'])), ['`polls` → `chats`']);
    assert.deepEqual(at('polls', refers('files', ['chat_id'], ['id'])), ['`polls` → `files`']);
    assert.deepEqual(at('orders', refers('chats', ['chat_id'], ['id'])), ['`orders` → `chats`']);
    assert.deepEqual(at('users', refers('orders', ['chat_id'], ['id'])), ['`users` → `orders`']);
  });
});
