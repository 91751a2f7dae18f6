import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as Y from 'yjs';
import { DomainError } from '../../lib/errors.js';
import { checkUpdate, checkVector, MAX_UPDATE_STRUCTS, Replica, SpoiledReplica } from './yjs.js';

/** What somebody does to their own copy. */
type Step = { who: number; act: 'push' | 'insert' | 'delete' | 'set' | 'text' | 'nest'; at: number; value: string };
const step = fc.record<Step>({
  who: fc.nat(3), act: fc.constantFrom('push', 'insert', 'delete', 'set', 'text', 'nest'), at: fc.nat(20), value: fc.string({ maxLength: 5 }),
});

function perform(doc: Y.Doc, { act, at, value }: Step): void {
  const strokes = doc.getArray<unknown>('strokes');
  const text = doc.getText('text');
  const index = Math.min(at, strokes.length);
  if (act === 'push') strokes.push([value]);
  else if (act === 'insert') strokes.insert(index, [value, at]);
  else if (act === 'delete' && index < strokes.length) strokes.delete(index, 1);
  else if (act === 'set') doc.getMap('map').set(String(at % 4), value);
  else if (act === 'text') text.insert(Math.min(at, text.length), value || 'x', at % 2 ? { bold: true } : {});
  else if (act === 'nest') strokes.insert(index, [new Y.Map([['x', at], ['deep', new Y.Array()]])]);
}

const contents = (doc: Y.Doc) => [doc.getArray('strokes').toJSON(), doc.getText('text').toDelta(), doc.getMap('map').toJSON()];
const contentsOf = (state: Uint8Array) => {
  const doc = new Y.Doc();
  Y.applyUpdate(doc, state);
  return contents(doc);
};

describe('a whiteboard on the server', () => {
  it('holds what all have drawn, whatever came when and how often, and however it was stored', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), fc.infiniteStream(fc.nat(9)), (steps, chance) => {
        const docs = [...Array(4)].map((_, index) => {
          const doc = new Y.Doc();
          doc.clientID = index + 1;
          return doc;
        });
        const sent: { doc: number; update: Uint8Array }[] = [];
        docs.forEach((doc, index) => doc.on('update', (update: Uint8Array, origin: unknown) => void (origin === 'server' || sent.push({ doc: index, update }))));
        const server = new Replica();
        const log: Uint8Array[] = [];
        const send = (update: Uint8Array) => {
          const news = server.apply(checkUpdate(update));
          if (!news) return;
          log.push(news);
          for (const doc of docs) if (chance.next().value < 7) Y.applyUpdate(doc, news, 'server');
        };
        for (const one of steps) {
          perform(docs[one.who]!, one);
          // Now and then what waits is sent: each by itself, or merged, and some of it again.
          if (chance.next().value > 3) continue;
          const waiting = sent.splice(0);
          for (const { update } of waiting) {
            try {
              send(update);
            } catch (error) {
              // It builds on another’s change that has come to its author by another way.
              assert.ok(error instanceof DomainError && error.code === 'STATE_CONFLICT', String(error));
            }
            if (chance.next().value === 0) try { send(update); } catch (error) { assert.ok(error instanceof DomainError); }
          }
        }
        // In the end everybody compares state vectors, as the SDK does.
        for (const doc of docs) send(Y.encodeStateAsUpdate(doc, server.vector));
        for (const doc of docs) Y.applyUpdate(doc, server.state(Y.encodeStateVector(doc)), 'server');
        for (const doc of docs) assert.deepEqual(contents(doc), contents(docs[0]!));
        assert.deepEqual(contentsOf(server.state()), contents(docs[0]!));
        // A snapshot of any part of the log, and what came after it, is the same.
        const cut = chance.next().value % (log.length + 1);
        const compacted = new Replica();
        log.slice(0, cut).forEach((update, index) => compacted.restore(update, index + 1));
        const again = new Replica();
        again.restore(compacted.state(), cut);
        log.slice(cut).forEach((update, index) => again.restore(update, cut + index + 1));
        assert.equal(again.seq, log.length);
        assert.deepEqual(contentsOf(again.state()), contents(docs[0]!));
        assert.equal(again.apply(checkUpdate(server.state())), null, 'nothing in it is new');
      }),
      { numRuns: 150 },
    );
  });

  it('refuses what was tampered with, and keeps what it has', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 3, maxLength: 15 }), fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { minLength: 1, maxLength: 4 }), fc.nat(400), (steps, flips, length) => {
        const doc = new Y.Doc();
        for (const one of steps) perform(doc, one);
        const good = Y.encodeStateAsUpdate(doc);
        const server = new Replica();
        server.restore(good, 1);
        const before = server.state();
        perform(doc, { who: 0, act: 'nest', at: 1, value: 'x' });
        perform(doc, { who: 0, act: 'text', at: 1, value: 'text' });
        const bytes = Y.encodeStateAsUpdate(doc).slice(0, length + 8);
        for (const [at, value] of flips) bytes[at % bytes.length] = value;
        try {
          const news = server.apply(checkUpdate(bytes));
          // What is taken can be read by whoever comes after.
          const other = new Replica();
          other.restore(before, 1);
          if (news) other.restore(news, 2);
        } catch (error) {
          if (error instanceof SpoiledReplica) return; // it is built again
          assert.ok(error instanceof DomainError, String(error));
          assert.deepEqual(server.state(), before);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('does not take more parts than it has time for', () => {
    const doc = new Y.Doc();
    // Each before the last: no two can be told as one.
    for (let i = 0; i <= MAX_UPDATE_STRUCTS; i++) doc.getArray('strokes').insert(0, [1]);
    assert.throws(() => checkUpdate(Y.encodeStateAsUpdate(doc)), (error: DomainError) => error.code === 'INVALID_INPUT' && /20000 parts/.test(error.message));
  });

  it('knows a state vector', () => {
    assert.throws(() => checkVector(new Uint8Array([5, 1])), (error: DomainError) => error.details.field === 'stateVector');
    assert.throws(() => checkVector(new Uint8Array(64 * 1024 + 1)), (error: DomainError) => error.details.field === 'stateVector');
    assert.deepEqual(checkVector(new Uint8Array([0])), new Uint8Array([0]));
  });
});
