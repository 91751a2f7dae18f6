import assert from 'node:assert/strict';
import * as Y from 'yjs';
import { OmniTalk, type DocumentEvent, type EventStream } from '../../sdk/index.js';
import { fromBase64, toBase64 } from '../../sdk/bytes.js';
import { openWhiteboard, type Whiteboard, type WhiteboardOptions } from '../../sdk/documents.js';
import { decodeId } from '../../src/lib/ids.js';
import { digest } from '../testkit/digest.js';
import { eventually, fails, settle, take, within, World, type Person } from '../testkit/world.js';

const UNKNOWN = 'doc_0190aaaaaaaa7aaa8aaaaaaaaaaaaaaa';
const EMPTY = toBase64(new Uint8Array([0, 0]));

/** What a client would send for one change of an empty document. */
function drawing(text: string): string {
  const doc = new Y.Doc();
  doc.getArray('strokes').push([text]);
  return toBase64(Y.encodeStateAsUpdate(doc));
}

describe('whiteboards', function () {
  this.timeout(30_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  let eve: Person;
  let chatId: string;
  let documentId: string;
  let run = 0;
  const boards: Whiteboard[] = [];
  const streams: EventStream<DocumentEvent>[] = [];

  before(async () => {
    world = await World.start({ nodes: 2 });
  });
  beforeEach(async () => {
    run++;
    [ann, bob, eve] = await Promise.all([world.person(`Ann_${run}`, 0), world.person(`Bob_${run}`, 1), world.person(`Eve_${run}`, 0)]);
    chatId = await world.groupChat(ann, [bob]);
    documentId = await create();
  });
  afterEach(() => {
    boards.splice(0).forEach((board) => board.close());
    streams.splice(0).forEach((stream) => stream.close());
  });
  after(() => world.stop());

  const create = async (more: object = {}) => (await ann.api.createWhiteboard({ input: { chatId, title: 'Plans', idempotencyKey: world.key(), ...more } })).createWhiteboard.document.id;
  const open = (client: OmniTalk, options: WhiteboardOptions = {}, id = documentId) => {
    const board = openWhiteboard(client, id, options);
    boards.push(board);
    return board;
  };
  const follow = (client: OmniTalk, place: Parameters<OmniTalk['documentEvents']>[1] = {}, id = documentId) => {
    const stream = client.documentEvents(id, place);
    streams.push(stream);
    return stream;
  };
  const apply = async (person: Person, update: string, id = documentId) => (await person.api.applyDocumentUpdate({ input: { documentId: id, update } })).applyDocumentUpdate;
  const strokes = ({ doc }: { doc: Y.Doc }) => doc.getArray<string>('strokes');
  const updatesOf = (id: string) => world.sql('select from document_updates where document_id = $1', [decodeId('Document', id)]);
  const draw = (board: Whiteboard, ...texts: string[]) => strokes(board).push(texts);
  const same = (...all: Whiteboard[]) => eventually(() => new Set(all.map((board) => JSON.stringify(strokes(board).toJSON()))).size === 1 && all.every(({ synced }) => synced), 'all see the same');

  it('two people draw at once, on two servers, and see the same', async () => {
    const [hers, his] = [open(ann.client), open(bob.client)];
    for (let i = 0; i < 30; i++) {
      draw(hers, `a${i}`);
      draw(his, `b${i}`);
      if (i % 10 === 9) await settle(50);
    }
    await same(hers, his);
    assert.equal(strokes(hers).length, 60);
    assert.deepEqual(strokes(hers).toArray().filter((text) => text.startsWith('a')), [...Array(30)].map((_, i) => `a${i}`), 'in the order in which she drew');
    const late = open(ann.client);
    await same(late, hers);
  });

  it('what is drawn offline comes in later, and what the others drew meanwhile', async () => {
    const [hers, his] = [open(ann.client), open(bob.client)];
    draw(hers, 'before');
    await same(hers, his);
    his.close();
    assert.equal(await his.ended, 'CLOSED');
    strokes(his).push(['offline']);
    strokes(his).delete(0);
    draw(hers, 'meanwhile');
    await hers.whenSynced();
    const back = open(bob.client, { doc: his.doc });
    await same(back, hers);
    assert.deepEqual(strokes(hers).toArray().sort(), ['meanwhile', 'offline']);
  });

  it('a repeat, in whatever pieces, changes nothing and tells nobody', async () => {
    const update = drawing('once');
    const stream = follow(bob.client);
    assert.equal((await take(stream, 1))[0]!.__typename, 'DocumentState');
    assert.deepEqual(await apply(ann, update), { seq: 1, changed: true, snapshotWanted: false });
    const before = await digest(world);
    assert.deepEqual(await apply(ann, update), { seq: 1, changed: false, snapshotWanted: false });
    assert.deepEqual(await apply(bob, update), { seq: 1, changed: false, snapshotWanted: false });
    assert.deepEqual(await apply(bob, EMPTY), { seq: 1, changed: false, snapshotWanted: false });
    assert.deepEqual(await digest(world), before);
    assert.equal((await apply(ann, drawing('another'))).seq, 2);
    const told = await take(stream, 2);
    assert.deepEqual(told.map((event) => event.__typename === 'DocumentUpdated' && [event.seq, event.userId]), [[1, ann.id], [2, ann.id]]);
  });

  it('a state vector is answered with what it lacks, in one update', async () => {
    const doc = new Y.Doc();
    doc.getArray('strokes').push(['one']);
    await apply(ann, toBase64(Y.encodeStateAsUpdate(doc)));
    const vector = Y.encodeStateVector(doc);
    const whole = Y.encodeStateAsUpdate(doc).length;
    doc.getArray('strokes').push(['two', 'three']);
    await apply(ann, toBase64(Y.encodeStateAsUpdate(doc, vector)));
    const read = async (stateVector?: Uint8Array) => {
      const [event] = await take(follow(bob.client, stateVector ? { stateVector: () => toBase64(stateVector) } : {}), 1);
      assert.ok(event?.__typename === 'DocumentState');
      assert.equal(event.seq, 2);
      assert.deepEqual(Y.decodeStateVector(fromBase64(event.stateVector!)), new Map([[doc.clientID, 3]]));
      return fromBase64(event.update);
    };
    const [lacking, everything] = [await read(vector), await read()];
    const other = new Y.Doc();
    Y.applyUpdate(other, everything);
    assert.deepEqual(other.getArray('strokes').toArray(), ['one', 'two', 'three']);
    assert.deepEqual(Y.decodeUpdate(lacking).structs.map(({ id, length }) => [id.clock, length]), [[1, 2]]);
    assert.ok(whole > 0);
  });

  it('many write at once: nothing is lost, numbers have no gaps, old updates become a snapshot', async () => {
    const watching = open(bob.client);
    const WRITERS = 12;
    const EACH = 25;
    await Promise.all(
      [...Array(WRITERS)].map(async (_, writer) => {
        const doc = new Y.Doc();
        let vector = Y.encodeStateVector(doc);
        for (let i = 0; i < EACH; i++) {
          doc.getArray('strokes').push([`${writer}:${i}`]);
          const update = Y.encodeStateAsUpdate(doc, vector);
          vector = Y.encodeStateVector(doc);
          await apply(writer % 2 ? ann : bob, toBase64(update));
        }
      }),
    );
    await eventually(() => strokes(watching).length === WRITERS * EACH, 'all has arrived');
    const late = open(ann.client);
    await same(late, watching);
    assert.equal(new Set(strokes(late).toArray()).size, WRITERS * EACH);
    const [row] = await world.sql<{ head: number; snapshot: number; kept: number; first: number }>(
      `select d.head::int as head, d.snapshot_seq::int as snapshot, (select count(*)::int from document_updates u where u.document_id = d.id) as kept,
              (select min(seq)::int from document_updates u where u.document_id = d.id) as first
       from documents d where d.head >= $1`, [WRITERS * EACH],
    );
    assert.ok(row && row.head === WRITERS * EACH && row.snapshot >= 200, JSON.stringify(row));
    assert.equal(row.kept, row.head - row.first + 1, 'without gaps');
    assert.ok(row.first > 90, 'what the snapshot holds is dropped');
  });

  it('goes on over a restart of the server, with what was drawn while it was away', async () => {
    const node = await world.addNode();
    let url = node.url;
    const client = new OmniTalk({ url: () => `${url}/graphql`, accessToken: ann.accessToken });
    const [hers, his] = [open(client), open(bob.client)];
    draw(hers, 'before');
    await same(hers, his);
    await node.stop();
    draw(hers, 'while it was away');
    draw(his, 'his');
    await his.whenSynced();
    url = (await world.addNode()).url;
    await same(hers, his);
    assert.deepEqual(strokes(his).toArray().sort(), ['before', 'his', 'while it was away']);
    hers.close();
    await client.close();
  });

  it('whoever is removed is cut off at once, and what they draw is refused', async () => {
    const [hers, his] = [open(ann.client), open(bob.client)];
    draw(his, 'his');
    await same(hers, his);
    await ann.api.removeChatMember({ input: { chatId, userId: bob.id } });
    const reason = await within(his.ended, 'the end');
    assert.ok(reason instanceof Error && reason.code === 'ACCESS_REVOKED');
    const before = await digest(world);
    await fails(apply(bob, drawing('more')), 'NOT_FOUND');
    await fails(bob.api.updateAwareness({ input: { documentId, clientId: '1', state: { x: 1 } } }), 'NOT_FOUND');
    await fails(within(follow(bob.client).next(), 'an error'), 'NOT_FOUND');
    assert.equal((await bob.api.document({ id: documentId })).document, null);
    assert.deepEqual(await digest(world), before);
    assert.deepEqual(strokes(hers).toArray(), ['his']);
  });

  it('a stranger, a forged id and somebody signed out get nowhere', async () => {
    await fails(apply(eve, drawing('x')), 'NOT_FOUND');
    await fails(apply(ann, drawing('x'), UNKNOWN), 'NOT_FOUND');
    await fails(apply(ann, drawing('x'), chatId), 'INVALID_ID', 'documentId');
    await fails(within(follow(eve.client).next(), 'an error'), 'NOT_FOUND');
    await fails(within(follow(ann.client, {}, UNKNOWN).next(), 'an error'), 'NOT_FOUND');
    await fails(within(follow(ann.client, {}, chatId).next(), 'an error'), 'INVALID_ID', 'documentId');
    await fails(within(follow(world.client()).next(), 'an error'), 'UNAUTHENTICATED');
    await fails(eve.api.createWhiteboard({ input: { chatId, idempotencyKey: world.key() } }), 'NOT_FOUND');
    await fails(eve.api.deleteWhiteboard({ input: { documentId } }), 'NOT_FOUND');
    await fails(within(follow(ann.client, { stateVector: () => toBase64(new Uint8Array([255, 255, 255])) }).next(), 'an error'), 'INVALID_INPUT', 'stateVector');
    await fails(within(follow(ann.client, { clientId: 'a b' }).next(), 'an error'), 'INVALID_INPUT', 'clientId');
  });

  it('malformed updates are refused, and change nothing', async () => {
    const hers = open(ann.client);
    draw(hers, 'good');
    await hers.whenSynced();
    const good = fromBase64(drawing('good'));
    const later = new Y.Doc();
    later.getArray('strokes').push(['first']);
    const vector = Y.encodeStateVector(later);
    later.getArray('strokes').push(['second']);
    const text = new Y.Doc();
    text.getArray('strokes').push(['a text']);
    const bad: [what: string, update: Uint8Array, code: string][] = [
      ['nothing', new Uint8Array(), 'INVALID_INPUT'],
      ['noise', new Uint8Array([...Array(64)].map((_, i) => (i * 37) % 256)), 'INVALID_INPUT'],
      ['cut off', good.subarray(0, good.length - 3), 'INVALID_INPUT'],
      ['a huge count', new Uint8Array([255, 255, 255, 255, 15, 1, 1, 0]), 'INVALID_INPUT'],
      ['an unknown type', new Uint8Array([1, 1, 1, 0, 39, 1, 1, 97, 1, 98, 200, 0]), 'INVALID_INPUT'],
      ['an element of no length', new Uint8Array([1, 1, 1, 0, 0, 0, 0]), 'INVALID_INPUT'],
      ['too many bytes', new Uint8Array(512 * 1024 + 1), 'INVALID_INPUT'],
      ['what builds on what is not there', Y.encodeStateAsUpdate(later, vector), 'STATE_CONFLICT'],
      ['a deletion of what is not there', new Uint8Array([0, 1, 77, 1, 0, 5]), 'STATE_CONFLICT'],
    ];
    const before = await digest(world);
    for (const [what, update, code] of bad) {
      const error = await fails(apply(bob, toBase64(update)), code, 'update').catch((caught: Error) => assert.fail(`${what}: ${caught.message}`));
      assert.ok(error, what);
    }
    await fails(bob.client.request('mutation($input: ApplyDocumentUpdateInput!) { applyDocumentUpdate(input: $input) { seq } }', { input: { documentId, update: 'not base64!' } }), 'INVALID_INPUT');
    await fails(bob.api.applyDocumentUpdate({ input: { documentId, update: toBase64(good), batch: 1 } }), 'INVALID_INPUT', 'batch');
    assert.deepEqual(await digest(world), before);
    const late = open(bob.client);
    await same(late, hers);
    assert.deepEqual(strokes(late).toArray(), ['good']);
    draw(late, 'and on');
    await same(late, hers);
  });

  it('a full document takes what only takes away', async () => {
    const doc = new Y.Doc();
    const send = (vector: Uint8Array) => apply(ann, toBase64(Y.encodeStateAsUpdate(doc, vector)));
    for (let i = 0; i < 4; i++) {
      const vector = Y.encodeStateVector(doc);
      doc.getArray('strokes').push(['x'.repeat(500_000)]);
      await send(vector);
    }
    const full = Y.encodeStateVector(doc);
    doc.getArray('strokes').push(['y'.repeat(400_000)]);
    await fails(send(full), 'LIMIT_REACHED', 'update');
    const again = new Y.Doc();
    Y.applyUpdate(again, fromBase64(((await take(follow(bob.client), 1))[0] as { update: string }).update));
    const before = Y.encodeStateVector(again);
    again.getArray('strokes').delete(0, 3);
    assert.equal((await apply(ann, toBase64(Y.encodeStateAsUpdate(again, before)))).changed, true);
    const vector = Y.encodeStateVector(again);
    again.getArray('strokes').push(['z'.repeat(400_000)]);
    assert.equal((await apply(bob, toBase64(Y.encodeStateAsUpdate(again, vector)))).changed, true);
  });

  it('what one person sends in a minute is bounded, by its weight: what is too much changes nothing', async () => {
    const update = drawing('x'.repeat(500_000));
    assert.equal((await apply(ann, update)).changed, true);
    const before = await digest(world);
    let taken = 1;
    let refused: unknown;
    while (!refused && taken < 60) await apply(ann, update).then(() => taken++, (error: unknown) => (refused = error));
    // Of 3,000 one is for each, and one more for each 8 KiB. One that does not hear from Redis in time is counted elsewhere.
    const most = Math.floor(3_000 / (1 + Math.floor(500_000 / 8_192)));
    assert.ok(taken >= most && taken <= most + 3, String(taken));
    const { retryAfter } = await fails(apply(ann, drawing('small')), 'RATE_LIMITED');
    assert.ok(retryAfter! > 0 && retryAfter! <= 60, String(retryAfter));
    assert.deepEqual(await digest(world), before);
    assert.equal((await apply(bob, drawing('his'))).changed, true);
  });

  it('a change that is too large for one update stays with who made it, and says so', async () => {
    const [hers, his] = [open(ann.client), open(bob.client)];
    draw(hers, 'before');
    await same(hers, his);
    const head = (await updatesOf(documentId)).length;
    draw(hers, 'x'.repeat(600_000));
    await hers.whenSynced();
    assert.equal(hers.refused?.code, 'INVALID_INPUT');
    draw(his, 'his');
    await eventually(() => strokes(hers).toArray().includes('his'), 'she sees what he draws');
    assert.equal((await updatesOf(documentId)).length, head + 1);
    strokes(hers).delete(strokes(hers).toArray().findIndex(({ length }) => length > 1_000), 1);
    await eventually(() => hers.refused === null && JSON.stringify(strokes(hers)) === JSON.stringify(strokes(his)), 'taken away, it is in the way of nothing');
  });

  it('pointers: told to the others, also to newcomers and on another server, and gone with their tab', async () => {
    const [hers, his] = [open(ann.client), open(bob.client)];
    await Promise.all([hers.whenSynced(), his.whenSynced()]);
    hers.awareness.setLocalState({ name: 'Ann', x: 1 });
    const stateOf = (board: Whiteboard, of: Whiteboard) => board.awareness.getStates().get(of.doc.clientID);
    await eventually(() => stateOf(his, hers)?.['x'] === 1, 'he sees her pointer');
    assert.equal(his.awareness.userOf(hers.doc.clientID), ann.id);
    for (let x = 2; x <= 40; x++) hers.awareness.setLocalStateField('x', x);
    await eventually(() => stateOf(his, hers)?.['x'] === 40, 'he sees where it ended');
    const late = open(bob.client);
    await eventually(() => stateOf(late, hers)?.['x'] === 40, 'a newcomer sees it too');
    assert.equal(stateOf(hers, hers)?.['x'], 40);
    const gone: number[] = [];
    his.awareness.on('change', ({ removed }) => void gone.push(...removed));
    hers.close();
    await eventually(() => !stateOf(his, hers) && !stateOf(late, hers), 'it has gone with her');
    assert.deepEqual(gone, [hers.doc.clientID]);
    assert.equal((await updatesOf(documentId)).length, 0);
  });

  it('pointers are bounded', async () => {
    const tell = (input: object) => ann.api.updateAwareness({ input: { documentId, clientId: '1', ...input } });
    await fails(tell({ state: { x: 'x'.repeat(2_100) } }), 'INVALID_INPUT', 'state');
    await fails(tell({ clientId: 'x'.repeat(65), state: {} }), 'INVALID_INPUT', 'clientId');
    assert.ok(Date.parse((await tell({ state: { x: 1 } })).updateAwareness.expiresAt) > world.clock.now().getTime() + 20_000);
    const stream = follow(bob.client);
    const told = await take(stream, 1);
    assert.equal(told[0]!.__typename, 'DocumentState');
  });

  it('may be for those alone who run the chat to change', async () => {
    const shown = await create({ editing: 'ADMINS' });
    assert.equal((await ann.api.document({ id: shown })).document?.viewerState?.canEdit, true);
    assert.deepEqual((await bob.api.document({ id: shown })).document?.viewerState, { canEdit: false, canManage: false });
    const [hers, his] = [open(ann.client, {}, shown), open(bob.client, {}, shown)];
    draw(hers, 'look');
    await same(hers, his);
    await fails(apply(bob, drawing('mine'), shown), 'FORBIDDEN');
    draw(his, 'only here');
    await his.whenSynced();
    assert.equal(his.refused?.code, 'FORBIDDEN');
    await fails(bob.api.updateWhiteboard({ input: { documentId: shown, editing: 'EVERYONE' } }), 'FORBIDDEN');
    await ann.api.updateWhiteboard({ input: { documentId: shown, editing: 'EVERYONE' } });
    assert.equal((await apply(bob, drawing('mine'), shown)).changed, true);
  });

  it('may be begun in a call of the same chat, and outlives it', async () => {
    const start = async () => (await ann.api.startCall({ input: { chatId, kind: 'VOICE', idempotencyKey: world.key() } })).startCall.call.id;
    const callId = await start();
    const shown = await create({ callId });
    assert.equal((await bob.api.document({ id: shown })).document?.callId, callId);
    const elsewhere = await world.groupChat(ann, []);
    await fails(ann.api.createWhiteboard({ input: { chatId: elsewhere, callId, idempotencyKey: world.key() } }), 'NOT_FOUND', 'callId');
    await ann.api.joinCall({ input: { callId } });
    await ann.api.endCall({ input: { callId } });
    await fails(create({ callId }), 'STATE_CONFLICT', 'callId');
    assert.equal((await apply(bob, drawing('after the call'), shown)).changed, true);
  });

  it('is found in its chat, renamed, and deleted with all that is on it', async () => {
    const list = async (person: Person) => (await person.api.chatDocuments({ chatId, kind: 'WHITEBOARD', first: 10 })).chat?.documents.edges.map(({ node }) => [node.id, node.title]);
    const second = await create({ title: 'Second' });
    assert.deepEqual(await list(bob), [[second, 'Second'], [documentId, 'Plans']]);
    assert.equal(await list(eve), undefined);
    const key = world.key();
    const [one, two] = await Promise.all([create({ idempotencyKey: key }), create({ idempotencyKey: key })]);
    assert.equal(one, two);
    await ann.api.updateWhiteboard({ input: { documentId: second, title: 'Renamed' } });
    assert.deepEqual((await list(bob))?.map(([, title]) => title), ['Plans', 'Renamed', 'Plans']);
    await apply(bob, drawing('x'), second);
    const his = open(bob.client, {}, second);
    await his.whenSynced();
    await fails(bob.api.deleteWhiteboard({ input: { documentId: second } }), 'FORBIDDEN');
    await ann.api.deleteWhiteboard({ input: { documentId: second } });
    assert.equal(await within(his.ended, 'the end'), 'DELETED');
    await fails(ann.api.deleteWhiteboard({ input: { documentId: second } }), 'NOT_FOUND');
    await fails(apply(bob, drawing('y'), second), 'NOT_FOUND');
    assert.equal((await updatesOf(second)).length, 0);
    assert.deepEqual((await list(bob))?.length, 2);
  });
});
