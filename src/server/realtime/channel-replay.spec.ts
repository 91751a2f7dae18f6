import assert from 'node:assert/strict';
import { Ground, range, row, sent, STREAM } from '../../../test/testkit/channel-ground.js';
import { turns } from '../../../test/testkit/fake-log.js';
import { groupOf, type Execute } from '../../../test/testkit/fake-groups.js';
import type { MessageRow } from '../../services/loaders/messages.js';

describe('Channel: what is replayed', () => {
  let ground: Ground;
  beforeEach(() => (ground = new Ground()));
  afterEach(() => ground.tail.close());

  it('does not bring back from the ring what was erased, nor what disappears by itself', async () => {
    const texts: Execute = (event) => ({ data: (event['row'] as MessageRow).text });
    const group = groupOf(texts);
    ground.start();
    const live = ground.member(group);
    await ground.channel.attach(live, 0);
    ground.rows.set(2, row(2, { replyToSeq: 1 }));
    ground.rows.set(3, row(3, { expiresAt: new Date(1) }));
    for (const seq of [1, 2, 3, 4]) ground.publish(sent(seq));
    await turns(20);
    assert.deepEqual(live.sink.got, ['text 1', 'text 2', 'text 3', 'text 4']);
    ground.rows.set(1, row(1, { text: null, deletedAt: new Date(0) }));
    ground.rows.set(2, row(2, { text: 'shows 1 no more', replyToSeq: 1 }));
    ground.rows.set(3, row(3, { text: null, deletedAt: new Date(1) }));
    ground.rows.set(4, row(4, { text: 'only kept bytes show the old text' }));
    ground.publish({ kind: 'message.deleted', seq: 1 });
    const during = ground.member(group); // the deletion is still being read
    await ground.channel.attach(during, 0);
    assert.deepEqual(during.sink.got.slice(0, 3), [null, 'shows 1 no more', null]);
    await turns(10);
    const after = ground.member(group);
    await ground.channel.attach(after, 2);
    assert.deepEqual(after.sink.got, [null, 'only kept bytes show the old text', null]);
    const fromRing = ground.member(group);
    await ground.channel.attach(fromRing, 3);
    assert.deepEqual(fromRing.sink.got, ['text 4', null]);
  });

  for (const [what, keepLinksMs, maxAge] of [['10 minutes', 3_600_000, 600_000], ['as long as links in them may be kept, where that is shorter', 15_000, 15_000]] as const)
    it(`hands on bytes that are up to so old, and makes what is older anew once for all: ${what}`, async () => {
      ground = new Ground(keepLinksMs);
      let link = 1;
      const group = groupOf(() => ({ data: link }));
      const replay = async () => {
        const one = ground.member(group);
        await ground.channel.attach(one, 0);
        ground.channel.detach(one);
        return one.sink.got;
      };
      ground.start();
      await ground.channel.attach(ground.member(group), 0);
      ground.publish(sent(1));
      await turns(5);
      link = 2;
      ground.now += maxAge - 1;
      assert.deepEqual([await replay(), group.executions], [[1], 1]);
      ground.now += 1;
      assert.deepEqual([await replay(), await replay(), group.executions], [[2], [2], 2]);
      link = 3;
      ground.now += maxAge - 1;
      assert.deepEqual([await replay(), group.executions], [[2], 2]);
      ground.now += 1;
      assert.deepEqual([await replay(), group.executions, ground.log.reads], [[3], 3, 0]);
    });

  it('ends a replay with EXPIRED where the log has a hole, behind what is before that', async () => {
    ground.commit(...range(1, 6).map(sent));
    ground.log.stream(STREAM).events.splice(2, 1);
    ground.start(6);
    const replaying = ground.member();
    assert.equal(await ground.channel.attach(replaying, 0), 'EXPIRED');
    assert.deepEqual([replaying.sink.got, replaying.resets, ground.channel.heard], [[1, 2], [], false]);
    const behind = ground.member();
    assert.equal(await ground.channel.attach(behind, 3), 'live');
    assert.deepEqual(behind.sink.got, [4, 5, 6]);
  });

  it('ends for all where what could not wait is read, and the log has a hole', async () => {
    ground.start();
    let release!: () => void;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const member = ground.member(groupOf(({ pos }) => (pos === 1 ? gate.then(() => ({ data: pos })) : { data: pos })));
    await ground.channel.attach(member, 0);
    // So much is under way to them that the rest waits, and of that comes more than may wait.
    for (let batch = 0; batch < 13; batch++) ground.publish(...range(1, 100).map(sent));
    ground.log.stream(STREAM).events.splice(1_199, 1);
    release();
    for (let waited = 0; waited < 2_000 && !member.resets.length; waited++) await turns(1);
    assert.deepEqual([member.resets, member.sink.got.length, member.sink.got.at(-1)], [['epoch'], 1_199, 1_199]);
  });

  it('replays end in UNREADABLE at what can’t be shown', async () => {
    ground.commit(sent(1), { kind: 'of a newer server' } as never);
    ground.start();
    assert.equal(await ground.channel.attach(ground.member(), 0), 'UNREADABLE');
  });
});
