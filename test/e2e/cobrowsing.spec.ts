import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { OmniTalk, type DocumentEvent, type EventStream } from '../../sdk/index.js';
import { shareBrowsing, watchBrowsing, type BrowsingControl, type BrowsingEvent, type BrowsingShare, type BrowsingWatch, type Recorder } from '../../sdk/browsing.js';
import { toBase64 } from '../../sdk/bytes.js';
import { decodeId } from '../../src/lib/ids.js';
import { digest } from '../testkit/digest.js';
import { signedInAgain } from '../testkit/news.js';
import { eventually, fails, take, within, World, type Person } from '../testkit/world.js';

const [FULL_SNAPSHOT, INCREMENTAL, META] = [2, 3, 4];

/** A page whose whole contents are a list of words, recorded as rrweb would. */
class Page {
  readonly words: string[] = [];
  snapshots = 0;
  recording = false;
  #emit: ((event: BrowsingEvent) => void) | null = null;
  #time = 1_000;

  readonly record: Recorder = Object.assign(
    ({ emit }: { emit(event: BrowsingEvent): void }) => {
      this.#emit = emit;
      this.recording = true;
      emit({ type: 0, timestamp: this.#time++ });
      this.snapshot();
      return () => {
        this.recording = false;
        this.#emit = null;
      };
    },
    { takeFullSnapshot: () => this.snapshot() },
  );

  snapshot(): void {
    this.snapshots++;
    this.#emit?.({ type: META, timestamp: this.#time++, data: { href: 'https://example.com/' } });
    this.#emit?.({ type: FULL_SNAPSHOT, timestamp: this.#time++, data: { words: [...this.words] } });
  }

  /** What happens on it and leaves nothing. */
  move(trace: string): void {
    this.#emit?.({ type: INCREMENTAL, timestamp: this.#time++, data: { trace } });
  }

  write(word: string): void {
    this.words.push(word);
    this.#emit?.({ type: INCREMENTAL, timestamp: this.#time++, data: { word } });
  }
}

/** What a Replayer would show. */
class Shown {
  words: string[] | null = null;
  events: number[] = [];
  controls: BrowsingControl[] = [];
  readonly onEvent = ({ type, data }: BrowsingEvent): void => {
    this.events.push(type);
    if (type === FULL_SNAPSHOT) this.words = [...(data as { words: string[] }).words];
    if (type === INCREMENTAL && 'word' in (data as object)) this.words!.push((data as { word: string }).word);
  };
  readonly onControl = (control: BrowsingControl): void => void this.controls.push(control);
}

const batchOf = (...events: object[]): string => toBase64(new TextEncoder().encode(JSON.stringify(events)));
const SNAPSHOT = { type: FULL_SNAPSHOT, timestamp: 1, data: { words: [] } };
const CHANGE = { type: INCREMENTAL, timestamp: 2, data: { word: 'x' } };

/** Words that packing does not make smaller: about 60 kB each. */
const large = (count: number) => [...Array(count)].map(() => [...crypto.getRandomValues(new Uint8Array(60_000))].join());

describe('co-browsing', function () {
  this.timeout(30_000);
  let world: World;
  let ann: Person;
  let bob: Person;
  let carol: Person;
  let chatId: string;
  let documentId: string;
  let page: Page;
  let run = 0;
  const open: { close(): void }[] = [];

  before(async () => {
    world = await World.start({ nodes: 2 });
  });
  beforeEach(async () => {
    run++;
    [ann, bob, carol] = await Promise.all([world.person(`Ann_${run}`, 0), world.person(`Bob_${run}`, 1), world.person(`Carol_${run}`, 0)]);
    chatId = await world.groupChat(ann, [bob, carol]);
    documentId = await start(ann);
    page = new Page();
  });
  afterEach(() => open.splice(0).forEach((one) => one.close()));
  after(() => world.stop());

  const start = async (person: Person) => (await person.api.startCoBrowsing({ input: { chatId, title: 'My page', idempotencyKey: world.key() } })).startCoBrowsing.document.id;
  const share = (client: OmniTalk, options: Partial<Parameters<typeof shareBrowsing>[2]> = {}): BrowsingShare => {
    const made = shareBrowsing(client, documentId, { record: page.record, ...options });
    open.push(made);
    return made;
  };
  const watch = (person: Person, shown = new Shown()): [BrowsingWatch, Shown] => {
    const made = watchBrowsing(person.client, documentId, shown);
    open.push(made);
    return [made, shown];
  };
  const follow = (person: Person): EventStream<DocumentEvent> => {
    const stream = person.client.documentEvents(documentId);
    open.push(stream);
    return stream;
  };
  const sees = (shown: Shown) => eventually(() => JSON.stringify(shown.words) === JSON.stringify(page.words), 'the page is shown as it is');
  const append = async (person: Person, batch: number | null, update: string) => (await person.api.applyDocumentUpdate({ input: { documentId, update, batch } })).applyDocumentUpdate;
  const control = async (person = ann) => {
    const { document } = await person.api.document({ id: documentId });
    return [document?.controller?.id ?? null, document?.controlRequests.map(({ id }) => id)];
  };

  it('what the presenter’s page does is seen by the others, on another server too, in order', async () => {
    const [, his] = watch(bob);
    share(ann.client);
    await eventually(() => page.recording, 'it records');
    for (const word of ['one', 'two', 'three']) page.write(word);
    await sees(his);
    for (let i = 0; i < 200; i++) page.write(`word ${i}`);
    await sees(his);
    assert.equal(page.snapshots, 1);
    assert.deepEqual(his.events.filter((type) => type !== INCREMENTAL), [META, FULL_SNAPSHOT]);
  });

  it('who comes late begins at the newest full snapshot', async () => {
    const [, his] = watch(bob);
    share(ann.client);
    await eventually(() => page.recording, 'it records');
    page.write('old');
    await sees(his);
    page.snapshot();
    page.write('new');
    await sees(his);
    const [, late] = watch(carol);
    await sees(late);
    assert.equal(late.events.filter((type) => type === FULL_SNAPSHOT).length, 1);
    assert.ok(late.events.length <= 3 + 1, `${late.events.length} events`);
    assert.deepEqual(late.words, ['old', 'new']);
  });

  it('when much stands behind the last snapshot another is taken, and what is before it is forgotten', async () => {
    const [, his] = watch(bob);
    share(ann.client);
    await eventually(() => page.recording, 'it records');
    // Random, so that packing does not help.
    const noise = (n: number) => [...crypto.getRandomValues(new Uint8Array(n))].map((byte) => byte.toString(16)).join('');
    for (let i = 0; i < 12; i++) {
      page.move(noise(64_000) + noise(64_000));
      page.write(`word ${i}`);
      await sees(his);
    }
    await eventually(() => page.snapshots > 1, 'another snapshot');
    page.snapshot();
    page.write('the last');
    await sees(his);
    const [row] = await world.sql<{ bytes: number }>('select sum(length(body))::int as bytes from document_updates where document_id = $1', [decodeId('Document', documentId)]);
    assert.ok(row!.bytes < 1_200_000, `${row!.bytes} bytes are kept`);
  });

  it('a large page is shown in pieces, to who comes late too, and is not asked for again and again', async () => {
    page.words.push(...large(13));
    const [, his] = watch(bob);
    share(ann.client);
    await sees(his);
    page.write('a word');
    await sees(his);
    const [, late] = watch(carol);
    await sees(late);
    assert.deepEqual(his.events, [META, FULL_SNAPSHOT, INCREMENTAL]);
    assert.deepEqual(late.events, his.events);
    const rows = await world.sql<{ bytes: number }>('select length(body) as bytes from document_updates where document_id = $1', [decodeId('Document', documentId)]);
    assert.ok(rows.length > 2 && rows.every(({ bytes }) => bytes <= 512 * 1024), JSON.stringify(rows));
    page.words.length = 0;
    page.snapshot();
    await sees(his);
    assert.equal(page.snapshots, 2);
  });

  it('what piles up while the presenter is offline arrives, however much it is', async () => {
    const node = await world.addNode();
    let { url } = node;
    const client = new OmniTalk({ url: () => `${url}/graphql`, accessToken: ann.accessToken });
    const sharing = share(client);
    const [, his] = watch(bob);
    await eventually(() => page.recording, 'it records');
    await sees(his);
    await node.stop();
    for (let i = 0; i < 4_500; i++) page.write(`word ${i}`);
    page.words.push(...large(6));
    page.snapshot();
    url = (await world.addNode()).url;
    await sees(his);
    // More than may wait: the page is shown anew.
    const before = page.snapshots;
    for (const trace of large(60)) page.move(trace);
    page.write('the last');
    await sees(his);
    assert.equal(page.snapshots, before + 1);
    sharing.close();
    assert.equal(await sharing.ended, 'CLOSED');
    await client.close();
  });

  it('a page that is too large to be shown ends the showing, and says so', async () => {
    page.words.push(...large(60));
    const sharing = share(ann.client);
    const reason = await within(sharing.ended, 'the end');
    assert.ok(reason instanceof Error && reason.code === 'TOO_LARGE', String(reason));
    assert.equal(page.recording, false);
  });

  it('batches are taken in order, once, from the presenter alone', async () => {
    await fails(append(ann, 1, batchOf(CHANGE)), 'STATE_CONFLICT', 'update');
    assert.deepEqual(await append(ann, 1, batchOf(SNAPSHOT)), { seq: 1, changed: true, snapshotWanted: false });
    const eve = await world.person(`Eve_${run}`);
    const before = await digest(world);
    assert.deepEqual(await append(ann, 1, batchOf(SNAPSHOT)), { seq: 1, changed: false, snapshotWanted: false });
    await fails(append(ann, 3, batchOf(CHANGE)), 'STATE_CONFLICT', 'batch');
    await fails(append(ann, null, batchOf(CHANGE)), 'INVALID_INPUT', 'batch');
    await fails(append(ann, 0, batchOf(CHANGE)), 'INVALID_INPUT', 'batch');
    await fails(append(bob, 2, batchOf(CHANGE)), 'FORBIDDEN');
    await fails(append(eve, 2, batchOf(CHANGE)), 'NOT_FOUND');
    const utf8 = (text: string) => toBase64(new TextEncoder().encode(text));
    for (const bad of ['', 'no json', '{}', '[]', '[1]', '[null]', '[{"type":"2","timestamp":1}]', '[{"type":2}]', '[{"type":99,"timestamp":1}]', '['.repeat(10_000)]) {
      await fails(append(ann, 2, utf8(bad)), 'INVALID_INPUT', 'update').catch((error: Error) => assert.fail(`${bad.slice(0, 40)}: ${error.message}`));
    }
    await fails(append(ann, 2, toBase64(gzipSync(Buffer.alloc(20 * 1024 * 1024, ' ')))), 'INVALID_INPUT', 'update');
    await fails(append(ann, 2, toBase64(gzipSync('[]').subarray(0, 8))), 'INVALID_INPUT', 'update');
    await fails(append(ann, 2, batchOf(...Array<object>(2_001).fill(CHANGE))), 'INVALID_INPUT', 'update');
    assert.deepEqual(await digest(world), before);
    assert.equal((await append(ann, 2, toBase64(gzipSync(JSON.stringify([CHANGE]))))).seq, 2);
  });

  it('control is asked for, given by the presenter alone, and used by the controller alone', async () => {
    const asked: BrowsingControl[] = [];
    const inputs: unknown[] = [];
    const sharing = share(ann.client, { onControl: (state) => void asked.push(state), onInput: (messages, userId) => void inputs.push(...messages.map((message) => [userId, message])) });
    const [his, shown] = watch(bob);
    const [hers] = watch(carol);
    await eventually(() => page.recording, 'it records');
    await sees(shown);
    await fails(his.sendControl({ click: 1 }), 'FORBIDDEN');
    await fails(sharing.grantControl(bob.id), 'STATE_CONFLICT', 'userId');
    await fails(ann.api.requestControl({ input: { documentId } }), 'FORBIDDEN');
    await his.requestControl();
    await his.requestControl();
    await hers.requestControl();
    await eventually(() => asked.at(-1)?.requesterIds.length === 2, 'the presenter hears of both');
    assert.deepEqual(asked.at(-1), { controllerId: null, requesterIds: [bob.id, carol.id] });
    await fails(bob.api.grantControl({ input: { documentId, userId: bob.id } }), 'FORBIDDEN');
    await fails(bob.api.denyControl({ input: { documentId, userId: carol.id } }), 'FORBIDDEN');
    await sharing.grantControl(bob.id);
    await sharing.grantControl(bob.id);
    await fails(sharing.grantControl(carol.id), 'STATE_CONFLICT');
    await sharing.denyControl(carol.id);
    await eventually(() => his.control.controllerId === bob.id && !his.control.requesterIds.length, 'he has control');
    assert.deepEqual(shown.controls.map(({ controllerId, requesterIds }) => [controllerId, requesterIds.length]), [[null, 1], [null, 2], [bob.id, 1], [bob.id, 0]]);
    for (let i = 0; i < 20; i++) await his.sendControl({ key: i });
    await eventually(() => inputs.length === 20, 'she hears what he does');
    assert.deepEqual(inputs, [...Array(20)].map((_, key) => [bob.id, { key }]));
    await fails(hers.sendControl({ click: 1 }), 'FORBIDDEN');
    await fails(his.sendControl({ text: 'x'.repeat(9_000) }), 'INVALID_INPUT', 'messages');
    await fails(his.sendControl(), 'INVALID_INPUT', 'messages');
    await sharing.releaseControl();
    await eventually(() => his.control.controllerId === null, 'it is taken back');
    await fails(his.sendControl({ click: 1 }), 'FORBIDDEN');
    await hers.requestControl();
    await hers.releaseControl();
    assert.deepEqual(await control(), [null, []]);
    const head = async () => (await world.sql<{ n: number }>(`select sum(head)::int as n from documents`))[0]!.n;
    const before = await head();
    await hers.releaseControl();
    assert.equal(await head(), before, 'nothing changed, nothing is told');
    assert.deepEqual((await world.sql(`select from document_updates where convert_from(body, 'utf8') like '%key%' and kind = 'CONTROL'`)).length, 0, 'what he typed is kept nowhere');
  });

  it('what the controller does is told to the presenter alone', async () => {
    const [mine, theirs] = [follow(ann), follow(carol)];
    await Promise.all([take(mine, 1), take(theirs, 1)]);
    await bob.api.requestControl({ input: { documentId } });
    await ann.api.grantControl({ input: { documentId, userId: bob.id } });
    assert.deepEqual((await take(mine, 2)).map((event) => event.__typename), ['ControlChanged', 'ControlChanged']);
    await bob.api.sendControl({ input: { documentId, messages: ['secret'] } });
    const [input] = await take(mine, 1);
    assert.ok(input?.__typename === 'ControlInput');
    assert.deepEqual([input.userId, input.messages], [bob.id, ['secret']]);
    await bob.api.releaseControl({ input: { documentId } });
    assert.deepEqual((await take(theirs, 3)).map((event) => event.__typename), ['ControlChanged', 'ControlChanged', 'ControlChanged']);
  });

  it('asking for control is bounded: by how much stands behind the last snapshot, and in a minute', async () => {
    assert.equal((await append(ann, 1, batchOf(SNAPSHOT))).seq, 1);
    const tail = async () => (await world.sql<{ bytes: number }>('select tail_bytes as bytes from documents where id = $1', [decodeId('Document', documentId)]))[0]!.bytes;
    const ask = (person: Person) => person.api.requestControl({ input: { documentId } });
    const first = await tail();
    await ask(bob);
    assert.ok((await tail()) > first, 'what was asked counts');
    await world.sql('update documents set tail_bytes = $2 where id = $1', [decodeId('Document', documentId), 4 * 1024 * 1024]);
    const before = await digest(world);
    await fails(ask(carol), 'LIMIT_REACHED');
    await ask(bob); // asks already
    assert.deepEqual(await digest(world), before);
    // What was asked is answered all the same.
    await ann.api.grantControl({ input: { documentId, userId: bob.id } });
    await ann.api.releaseControl({ input: { documentId } });
    await append(ann, 2, batchOf(SNAPSHOT));
    await ask(carol);
    assert.deepEqual(await control(), [null, [carol.id]]);
    // Each of these counts 63 of the 3,000 updates of a minute, and is no batch.
    const heavy = toBase64(new Uint8Array(510_000));
    const codes = new Set<string>();
    for (let sent = 0; !codes.has('RATE_LIMITED') && sent < 60; sent++) await append(carol, 1, heavy).catch(({ code }: { code: string }) => codes.add(code));
    assert.deepEqual([...codes], ['INVALID_INPUT', 'RATE_LIMITED']);
    await fails(ask(carol), 'RATE_LIMITED');
    await carol.api.releaseControl({ input: { documentId } });
    assert.deepEqual(await control(), [null, []]);
  });

  it('whoever leaves the chat has no control any more, and is cut off', async () => {
    const sharing = share(ann.client);
    const [his] = watch(bob);
    await eventually(() => page.recording, 'it records');
    await his.requestControl();
    await sharing.grantControl(bob.id);
    await ann.api.removeChatMember({ input: { chatId, userId: bob.id } });
    const reason = await within(his.ended, 'the end');
    assert.ok(reason instanceof Error && reason.code === 'ACCESS_REVOKED');
    await fails(his.sendControl({ click: 1 }), 'NOT_FOUND');
    const [hers] = watch(carol);
    await hers.requestControl();
    await sharing.grantControl(carol.id);
    assert.deepEqual(await control(), [carol.id, []]);
  });

  it('goes on over a restart of the presenter’s server', async () => {
    const node = await world.addNode();
    let { url } = node;
    const client = new OmniTalk({ url: () => `${url}/graphql`, accessToken: ann.accessToken });
    share(client);
    const [, his] = watch(bob);
    await eventually(() => page.recording, 'it records');
    page.write('before');
    await sees(his);
    await node.stop();
    page.write('while it was away');
    url = (await world.addNode()).url;
    await sees(his);
    await client.close();
  });

  it('ends for all, once, and what was shown is forgotten', async () => {
    const sharing = share(ann.client);
    const [his, shown] = watch(bob);
    await eventually(() => page.recording, 'it records');
    await sees(shown);
    await fails(bob.api.endCoBrowsing({ input: { documentId } }), 'FORBIDDEN');
    await sharing.end();
    assert.equal(await within(his.ended, 'the end'), 'ENDED');
    assert.equal(page.recording, false);
    const ended = (await ann.api.endCoBrowsing({ input: { documentId } })).endCoBrowsing.document.endedAt;
    assert.ok(ended);
    await fails(append(ann, 2, batchOf(SNAPSHOT)), 'STATE_CONFLICT');
    await fails(bob.api.requestControl({ input: { documentId } }), 'STATE_CONFLICT');
    await fails(within(follow(bob).next(), 'an error'), 'STATE_CONFLICT');
    const [row] = await world.sql<{ left: number }>(`select count(*)::int as left from document_updates u join documents d on d.id = u.document_id where d.ended_at is not null`);
    assert.equal(row!.left, 0);
    assert.deepEqual((await bob.api.chatDocuments({ chatId, kind: 'CO_BROWSING' })).chat?.documents.edges.map(({ node }) => [node.id, node.endedAt]), [[documentId, ended]]);
  });

  it('a session that nobody presents any more is ended after 12 hours', async () => {
    const [his] = watch(bob);
    await eventually(async () => (await control()).length === 2, 'it stands');
    await world.passTime(13 * 3_600_000);
    // Who looks on does not keep it.
    await (await signedInAgain(world, bob)).api.requestControl({ input: { documentId } });
    await world.sql(`select graphile_worker.add_job('end-stale-co-browsing')`);
    assert.equal(await within(his.ended, 'the end'), 'ENDED');
  });

  it('is bounded in number, and not for encrypted or foreign chats', async () => {
    for (let i = 1; i < 10; i++) await start(bob);
    await fails(start(carol), 'LIMIT_REACHED');
    const eve = await world.person(`Eva_${run}`);
    await fails(eve.api.startCoBrowsing({ input: { chatId, idempotencyKey: world.key() } }), 'NOT_FOUND');
    await fails(ann.api.deleteWhiteboard({ input: { documentId } }), 'NOT_FOUND');
  });
});
