import assert from 'node:assert/strict';
import * as Y from 'yjs';
import type { Sql } from '../../db/database.js';
import { Replicas } from './replicas.js';

const MIB = 1024 * 1024;

/** A document with so many bytes of text. */
function stateOf(bytes: number): Buffer {
  const doc = new Y.Doc();
  doc.getText('text').insert(0, 'x'.repeat(bytes));
  return Buffer.from(Y.encodeStateAsUpdate(doc));
}

/** A database in which every document has this snapshot, and these entries behind it. */
const stored = (snapshot: Buffer | null, entries: Buffer[] = []): Sql =>
  (async (text: string, [, after]: unknown[]) => {
    if (text.includes('document_snapshots')) return snapshot ? [{ seq: 0, state: snapshot }] : [];
    return entries.map((body, index) => ({ seq: index + 1, body })).filter(({ seq }) => seq > (after as number));
  }) as unknown as Sql;

describe('whiteboards that a process keeps', () => {
  const large = stateOf(2 * MIB);
  const read = async (replicas: Replicas, sql: Sql, count: number) => {
    const ids = Array.from({ length: count }, (_, index) => `document ${index}`);
    const slots = [];
    for (const id of ids) {
      slots.push(replicas.slot(id));
      await replicas.state(sql, id, null);
    }
    return { ids, slots };
  };

  for (const [name, sql, kept] of [['snapshots', stored(large), 31], ['entries', stored(null, [large]), 31], ['small ones', stored(stateOf(10)), 40]] as const) {
    it(`as many as 64 MiB hold, also of those that are only read: ${name}`, async () => {
      const replicas = new Replicas();
      const { ids, slots } = await read(replicas, sql, 40);
      // The newest first: asking for one that has gone makes another, and would push out what is counted next.
      let same = 0;
      while (same < ids.length && replicas.slot(ids.at(-1 - same)!) === slots.at(-1 - same)) same++;
      assert.equal(same, kept);
    });
  }

  it('each by what was said last of its size', () => {
    const replicas = new Replicas();
    const slot = replicas.slot('one');
    replicas.weigh('one', slot, 40 * MIB);
    replicas.weigh('one', slot, MIB);
    const other = replicas.slot('other');
    replicas.weigh('other', other, 40 * MIB);
    assert.equal(replicas.slot('one'), slot);
    replicas.weigh('one', slot, 40 * MIB);
    assert.notEqual(replicas.slot('other'), other);
  });
});
