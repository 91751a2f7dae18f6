import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CHAT, Ground, range, row, sent, STREAM, VIEWER, type Member } from '../../../test/testkit/channel-ground.js';
import { EPOCH, turns } from '../../../test/testkit/fake-log.js';
import { groupOf, offsetsOnly, type Execute } from '../../../test/testkit/fake-groups.js';
import type { ChatEventRef } from '../../events/catalogue.js';
import type { Published } from '../../events/log.js';
import type { MessageRow } from '../../services/loaders/messages.js';

describe('Channel', () => {
  let ground: Ground;
  beforeEach(() => (ground = new Ground()));
  afterEach(() => ground.tail.close());

  it('gives everybody, whenever they come and wherever they were, the log behind their cursor: once, in order', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('commit' as const), count: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ do: fc.constant('hint' as const), which: fc.nat() }),
      fc.record({ do: fc.constant('attach' as const), at: fc.nat(), slow: fc.boolean() }),
      fc.record({ do: fc.constant('turns' as const), count: fc.integer({ min: 1, max: 6 }) }),
      fc.record({ do: fc.constant('detach' as const), which: fc.nat() }),
      fc.record({ do: fc.constant('receipts' as const) }),
    );
    const lateness = (every: number, most: number): Execute => ({ pos }) => (pos % every ? { data: pos } : turns(pos % most).then(() => ({ data: pos })));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        ground = new Ground();
        const groups = [groupOf(lateness(3, 2), 'seldom late'), groupOf(lateness(1, 7), 'always late')];
        const hints: Published[] = [];
        const members: { member: Member; after: number; attaching: Promise<unknown>; gone: boolean }[] = [];
        let seq = 0;
        ground.commit(sent(++seq), sent(++seq), sent(++seq));
        ground.start();
        for (const one of steps) {
          if (one.do === 'commit') hints.push(ground.commit(...[...Array(one.count)].map(() => (++seq % 5 ? sent(seq) : { kind: 'chat.updated' as const }))));
          // Any hint, any number of times, in any order; many are never given.
          if (one.do === 'hint' && hints.length) ground.tail.accept(hints[one.which % hints.length]!);
          if (one.do === 'turns') await turns(one.count);
          if (one.do === 'receipts') ground.channel.broadcast('ReceiptsChanged', {});
          if (one.do === 'attach') {
            const after = one.at % (ground.head + 1); // also ahead of what the tail has heard of
            const member = ground.member(groups[one.at % 2]);
            if (one.slow) member.sink.slow = turns(3);
            members.push({ member, after, gone: false, attaching: ground.channel.attach(member, after) });
          }
          const gone = one.do === 'detach' && members.length ? members[one.which % members.length]! : null;
          if (gone) {
            gone.gone = gone.member.sink.closed = true;
            ground.channel.detach(gone.member);
          }
        }
        ground.tail.reconcile(await ground.log.head(STREAM));
        for (let waited = 0; waited < 200 && ground.channel.delivered < ground.head; waited++) await turns(1);
        await Promise.all(members.map(({ attaching }) => attaching));
        await turns(20);
        for (const { member, after, gone } of members) {
          assert.deepEqual(member.resets, []);
          const events = member.delivered;
          assert.deepEqual(events, gone ? range(after + 1, after + events.length) : range(after + 1, ground.head));
          // Receipts stand among the events at the place that has been reached: cursors never go back, nor skip.
          let at = after;
          for (const pos of member.sink.got as number[]) {
            assert.ok(pos === at || pos === at + 1, `${pos} behind ${at}`);
            at = pos;
          }
        }
        ground.tail.close();
      }),
      { numRuns: 120 },
    );
  });

  it('shares bytes among those to whom an event looks the same, and nobody sees more than alone', async () => {
    // Each message answers an earlier one; a document shows the chain to some depth, now at once, now later.
    const scenario = fc.record({
      replies: fc.array(fc.nat(), { minLength: 3, maxLength: 12 }),
      depth: fc.integer({ min: 0, max: 4 }),
      later: fc.boolean(),
      history: fc.boolean(),
      joined: fc.array(fc.integer({ min: 1, max: 14 }), { minLength: 1, maxLength: 12 }),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ replies, depth, later, history, joined }) => {
        ground = new Ground();
        replies.forEach((to, index) => ground.rows.set(index + 1, row(index + 1, { replyToSeq: index ? (to % index) + 1 : null })));
        const show = (seq: number, left: number, sees: (seq: number) => boolean): unknown => {
          if (!sees(seq)) return 'hidden';
          const { text, replyToSeq } = ground.rows.get(seq)!;
          return { text, replyTo: replyToSeq !== null && left > 0 ? show(replyToSeq, left - 1, sees) : null };
        };
        const document = (event: object, sees: (seq: number) => boolean, from: () => number) => ({
          message: show((event as { row: MessageRow }).row.seq, depth, sees),
          history: history ? [...ground.rows.keys()].filter((seq) => seq >= from()) : null,
        });
        const execute: Execute = (event, context) => {
          const result = () => ({ data: document(event, (seq) => context.sees(CHAT, seq) as boolean, () => context.visibleFrom(CHAT) as number) });
          return later ? turns(1).then(result) : result();
        };
        const group = groupOf(execute);
        ground.start();
        const live = joined.map((from) => ground.member(group, from));
        for (const member of live) await ground.channel.attach(member, 0);
        for (const seq of ground.rows.keys()) ground.publish(sent(seq));
        for (let waited = 0; waited < 300 && ground.channel.delivered < ground.head; waited++) await turns(1);
        await turns(30);
        const resumed = joined.map((from) => ground.member(group, from));
        for (const member of resumed) await ground.channel.attach(member, 0);
        for (const member of [...live, ...resumed]) {
          const alone = [...ground.rows.values()].map((one) => document({ row: one }, (seq) => seq >= member.visibleFrom, () => member.visibleFrom));
          assert.deepEqual(member.sink.got, alone);
        }
        ground.tail.close();
      }),
      { numRuns: 80 },
    );
  });

  it('executes once for all who joined before what is shown', async () => {
    const group = groupOf((event, context) => ({ data: context.sees(CHAT, (event['row'] as MessageRow).seq) }));
    ground.commit(...range(1, 20).map(sent));
    ground.start();
    const members = range(1, 20).map((from) => ground.member(group, from));
    for (const member of members) await ground.channel.attach(member, ground.head);
    ground.publish(sent(21));
    await turns(5);
    assert.equal(group.executions, 1);
    assert.ok(members.every((member) => member.sink.got.length === 1));
    ground.publish({ kind: 'message.updated', seq: 10 });
    await turns(5);
    assert.equal(group.executions, 3);
    assert.deepEqual(members.map((member) => member.sink.got[1]), range(1, 20).map((from) => from <= 10));
  });

  it('refuses to show another chat’s messages in a shared execution', async () => {
    const group = groupOf((_event, context) => ({ data: context.sees('another', 1) }));
    ground.start();
    const member = ground.member(group);
    await ground.channel.attach(member, 0);
    ground.publish(sent(1));
    await turns(5);
    assert.deepEqual(member.sink.got, []);
    assert.deepEqual(member.resets, ['unreadable']);
  });

  it('ends at one’s own leaving, live and in a replay, and not at an earlier stay’s', async () => {
    const left: ChatEventRef = { kind: 'member.left', userId: VIEWER };
    ground.start();
    const live = ground.member();
    await ground.channel.attach(live, 0);
    ground.publish(sent(1), { kind: 'member.left', userId: 'somebody' }, left, sent(2));
    await turns(10);
    assert.deepEqual(live.sink.got, [1, 2, 3]);
    assert.equal(live.revoked, 1);
    const replayed = ground.member();
    assert.equal(await ground.channel.attach(replayed, 0), 'closed');
    assert.deepEqual([replayed.sink.got, replayed.revoked], [[1, 2, 3], 1]);
    const back = ground.member();
    assert.equal(await ground.channel.attach(back, 3), 'live');
    assert.deepEqual([back.sink.got, back.revoked], [[4], 0]);
    assert.deepEqual([...ground.channel.attachments], [back]);
  });

  it('writes nothing up to a cursor or joining that it has not heard of yet', async () => {
    ground.start();
    const [hint] = [ground.commit(sent(1), { kind: 'member.left', userId: VIEWER }, sent(2), sent(3))];
    const member = ground.member();
    assert.equal(await ground.channel.misfit({ stream: STREAM, epoch: EPOCH, pos: 3 }), null);
    assert.equal(await ground.channel.attach(member, 3), 'live');
    ground.tail.accept(hint!);
    await turns(5);
    assert.deepEqual([member.sink.got, member.revoked], [[4], 0]);
    assert.equal(await ground.channel.misfit({ stream: STREAM, epoch: EPOCH, pos: 5 }), 'AHEAD');
    assert.equal(await ground.channel.misfit({ stream: STREAM, epoch: '00000000-0000-4000-8000-00000000000e', pos: 1 }), 'EPOCH_CHANGED');
  });

  it('says how a replay can’t be had', async () => {
    ground.commit(...range(1, 30).map(sent));
    ground.log.stream(STREAM).droppedUpTo = 10;
    ground.start();
    assert.equal(await ground.channel.attach(ground.member(), 9), 'EXPIRED');
    assert.equal(await ground.channel.attach(ground.member(), 10), 'live');
    ground.commit(...range(1, 10_000).map(sent));
    ground.start();
    assert.equal(await ground.channel.attach(ground.member(), 29), 'TOO_FAR_BEHIND');
    assert.equal(await ground.channel.attach(ground.member(), 10_029), 'live');
  });

  it('waits for a database that is away for a moment, and loses nothing', async () => {
    ground.start();
    const member = ground.member();
    await ground.channel.attach(member, 0);
    ground.failures.push(new Error('away'), new Error('away'));
    ground.publish(sent(1), sent(2));
    await new Promise((resolve) => setTimeout(resolve, 700));
    assert.deepEqual([member.sink.got, member.resets], [[1, 2], []]);
    let away = 2;
    const group = groupOf(({ pos }) => (away-- > 0 ? { data: null, errors: [new Error('away')] } : { data: pos }));
    const other = ground.member(group);
    ground.log.failures.push(new Error('away'));
    assert.equal(await ground.channel.attach(other, 0), 'live');
    assert.deepEqual([other.sink.got, other.resets], [[1, 2], []]);
  }).timeout(5_000);

  it('pauses once for a database that was away, not once for each event that came meanwhile', async () => {
    ground.start();
    const member = ground.member();
    await ground.channel.attach(member, 0);
    // Each is asked for as it comes, in vain; by its turn the database is back.
    ground.failures.push(...range(1, 400).map(() => new Error('away')));
    ground.publish(...range(1, 400).map(sent));
    while (member.sink.got.length < 400) await turns(1);
    assert.deepEqual([member.sink.got, member.resets, ground.errors], [range(1, 400), [], []]);
  });

  it('tells receipts at the place each has come to, also to whoever moves on meanwhile', async () => {
    ground.commit(...range(1, 6).map(sent));
    ground.start();
    const late: Execute = ({ __typename, pos }) => (__typename === 'ReceiptsChanged' && pos === 1 ? turns(5).then(() => ({ data: -pos })) : { data: __typename === 'ReceiptsChanged' ? -pos : pos });
    const [live, replaying] = [ground.member(groupOf(late, 'late')), ground.member(groupOf(late, 'late'))];
    await ground.channel.attach(live, 6);
    let release!: () => void;
    replaying.sink.slow = new Promise((resolve) => (release = resolve));
    const attaching = ground.channel.attach(replaying, 0);
    while (!replaying.delivered.length) await turns(1);
    ground.channel.broadcast('ReceiptsChanged', {});
    replaying.sink.slow = null;
    release();
    await attaching;
    await turns(10);
    assert.deepEqual(live.sink.got, [-6]);
    const place = (replaying.sink.got as number[]).findIndex((pos) => pos < 0);
    assert.ok(place > 1, 'the first rendering came too late for its place');
    assert.equal(replaying.sink.got[place], -(replaying.sink.got[place - 1] as number));
    assert.deepEqual((replaying.sink.got as number[]).filter((pos) => pos > 0), range(1, 6));
  });

  it('tells whoever hears of nothing no receipts either, and does not count them among those who listen', async () => {
    ground.start();
    const [live, guard] = [ground.member(), Object.assign(ground.member(), { hears: () => false })];
    await ground.channel.attach(guard, 0);
    assert.equal(ground.channel.heard, false);
    await ground.channel.attach(live, 0);
    assert.equal(ground.channel.heard, true);
    ground.channel.broadcast('ReceiptsChanged', {});
    ground.publish(sent(1));
    await turns(10);
    assert.deepEqual([live.sink.got, guard.sink.got], [[0, 1], []]);
    assert.deepEqual([...ground.channel.attachments], [guard, live]);
  });

  it('ends with a word when an event can’t be shown: to all when it can’t be read, to whom it can’t be rendered for', async () => {
    ground.start();
    const member = ground.member();
    const unlucky = ground.member(groupOf(() => Promise.reject(new Error('broken')), 'unlucky'));
    const thrown = ground.member(groupOf(() => { throw new Error('broken too'); }, 'thrown'));
    for (const one of [member, unlucky, thrown]) await ground.channel.attach(one, 0);
    ground.publish(sent(1));
    await turns(10);
    assert.deepEqual([member.sink.got, member.resets, unlucky.resets, thrown.resets], [[1], [], ['unreadable'], ['unreadable']]);
    ground.publish({ kind: 'of a newer server' } as never);
    await turns(10);
    assert.deepEqual(member.resets, ['unreadable']);
    assert.equal(ground.channel.over, true);
    ground.publish(sent(2));
    await turns(5);
    assert.deepEqual(member.sink.got, [1]);
    const late = ground.member();
    assert.equal(await ground.channel.attach(late, 1), 'closed');
    assert.deepEqual(late.resets, ['unreadable']);
  });

  it('ends a subscription as unavailable, which resumes, when the database stays away for what one alone needs', async function () {
    this.timeout(20_000);
    ground.start();
    const [member, unlucky] = [ground.member(), ground.member(groupOf(() => Promise.reject(new Error('away')), 'unlucky'))];
    for (const one of [member, unlucky]) await ground.channel.attach(one, 0);
    ground.publish(sent(1));
    for (let look = 0; look < 100 && !unlucky.resets.length; look++) await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual([member.sink.got, member.resets, unlucky.resets], [[1], [], ['unavailable']]);
  });

  it('keeps no unbounded queue: what is too much to wait is read when its turn has come', async () => {
    ground.start();
    let release!: () => void;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const member = ground.member(groupOf(({ pos }) => (pos === 1 ? gate.then(() => ({ data: pos })) : { data: pos })));
    await ground.channel.attach(member, 0);
    let loads = 0;
    const failures = ground.failures.shift.bind(ground.failures);
    ground.failures.shift = () => (loads++, failures());
    for (let batch = 0; batch < 50; batch++) ground.publish(...range(1, 100).map(sent));
    await turns(5);
    assert.ok(loads <= 1_001, `${loads} events were read to wait`);
    release();
    for (let waited = 0; waited < 2_000 && member.sink.got.length < 5_000; waited++) await turns(1);
    assert.deepEqual(member.sink.got, range(1, 5_000));
  });

  it('a replay waits for its reader, event by event, and for nothing once the reader has gone', async () => {
    ground.commit(...range(1, 50).map(sent));
    ground.start();
    const member = ground.member();
    let release!: () => void;
    member.sink.slow = new Promise((resolve) => (release = resolve));
    const attaching = ground.channel.attach(member, 0);
    await turns(20);
    assert.deepEqual(member.sink.got, [1]);
    member.sink.closed = true;
    ground.channel.detach(member);
    release();
    assert.equal(await attaching, 'closed');
    assert.deepEqual([member.sink.got, [...ground.channel.attachments]], [[1], []]);
  });

  it('an epoch that changes ends everybody, also those who are replaying', async () => {
    ground.commit(...range(1, 10).map(sent));
    ground.start();
    const [live, replaying] = [ground.member(), ground.member()];
    await ground.channel.attach(live, 10);
    let release!: () => void;
    replaying.sink.slow = new Promise((resolve) => (release = resolve));
    const attaching = ground.channel.attach(replaying, 0);
    await turns(10);
    ground.tail.reconcile({ epoch: 'another', head: 3 });
    release();
    assert.equal(await attaching, 'closed');
    assert.deepEqual([live.resets, replaying.resets], [['epoch'], ['epoch']]);
  });

  it('does not keep bytes that are one viewer’s alone', async () => {
    const group = groupOf(offsetsOnly);
    Object.assign(group, { contexts: { shared: null, personal: () => ({}) }, viewerId: VIEWER });
    ground.start();
    const member = ground.member(group);
    await ground.channel.attach(member, 0);
    ground.publish(sent(1));
    await turns(5);
    await ground.channel.attach(ground.member(group), 0);
    assert.equal(group.executions, 2);
  });

  it('an event that is still being made for one holds up nobody else, and what follows waits behind it', async () => {
    const gates: (() => void)[] = [];
    const late: Execute = ({ pos }) => new Promise((resolve) => gates.push(() => resolve({ data: pos })));
    ground.start();
    const [slow, quick] = [ground.member(groupOf(late, 'late')), ground.member()];
    await Promise.all([ground.channel.attach(slow, 0), ground.channel.attach(quick, 0)]);
    ground.publish(sent(1), sent(2), sent(3));
    await turns(10);
    assert.deepEqual(quick.delivered, [1, 2, 3]);
    assert.deepEqual(slow.delivered, []);
    assert.equal(gates.length, 3, 'all are being made at once');
    gates[2]!();
    gates[1]!();
    await turns(5);
    assert.deepEqual(slow.delivered, [], 'what is ready waits for what was before it');
    gates[0]!();
    await turns(5);
    assert.deepEqual(slow.delivered, [1, 2, 3]);
    assert.deepEqual(slow.sink.got, [1, 2, 3]);
  });

  it('no more than 64 events are under way to those for whom they are still being made; the rest waits', async () => {
    const gates: (() => void)[] = [];
    const late: Execute = ({ pos }) => new Promise((resolve) => gates.push(() => resolve({ data: pos })));
    ground.start();
    const [slow, quick] = [ground.member(groupOf(late, 'late')), ground.member()];
    await Promise.all([ground.channel.attach(slow, 0), ground.channel.attach(quick, 0)]);
    ground.publish(...range(1, 100).map(sent));
    await turns(200);
    assert.equal(gates.length, 64);
    for (let opened = 0; opened < 100; opened++) {
      gates[opened]!();
      await turns(10);
    }
    assert.deepEqual(slow.delivered, range(1, 100));
    assert.deepEqual(quick.delivered, range(1, 100));
  });
});
