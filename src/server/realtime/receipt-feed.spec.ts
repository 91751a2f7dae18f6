import assert from 'node:assert/strict';
import { ReceiptFeed } from './receipt-feed.js';

const CHAT = '019a0000-0000-7000-8000-000000000001';
const user = (index: number) => `019a0000-0000-7000-8000-${String(index).padStart(12, '0')}`;

describe('ReceiptFeed', () => {
  const feed = (stream: string) => {
    const told: { typename: string; at: number }[] = [];
    const asked: (readonly string[])[] = [];
    const outlet = { stream, heard: true, broadcast: (typename: string) => void told.push({ typename, at: Date.now() }) };
    const snapshot = async (_chatId: string, moved: readonly string[]) => {
      asked.push(moved);
      return { receipts: [], readByAllSeq: 0, newestSeq: 1, readCount: 0, deliveredCount: 0 };
    };
    return { feed: new ReceiptFeed(outlet, { snapshot }, (error) => assert.fail(String(error))), told, asked, outlet };
  };
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  it('tells the first at once and the rest of the second together, then rests', async () => {
    const { feed: receipts, told, asked } = feed(`chat:${CHAT}`);
    for (let index = 0; index < 50; index++) receipts.accept({ moved: [user(index % 10)] });
    await wait(20);
    assert.deepEqual(asked, [[user(0)]]);
    await wait(1_050);
    assert.equal(told.length, 2);
    // By the clock, not a bound of speed: the first may have been told late on a busy machine.
    assert.ok(told[1]!.at - told[0]!.at >= 500);
    assert.equal(asked[1]!.length, 10);
    await wait(1_050);
    assert.equal(told.length, 2);
    receipts.accept({ moved: [user(1)] });
    await wait(20);
    assert.equal(told.length, 3);
    receipts.close();
  });

  it('remembers no more names than are told', async () => {
    const { feed: receipts, asked } = feed(`chat:${CHAT}`);
    receipts.accept({ moved: [user(0)] });
    receipts.accept({ moved: [...Array(5_000)].map((_, index) => user(index)) });
    await wait(1_050);
    assert.equal(asked[1]!.length, 101);
    receipts.close();
  });

  it('does nothing for nobody, and nothing once it is closed', async () => {
    const { feed: receipts, told, asked, outlet } = feed(`chat:${CHAT}`);
    outlet.heard = false;
    receipts.accept({ moved: [user(1)] });
    outlet.heard = true;
    receipts.accept({ moved: [user(2)] });
    receipts.accept({ moved: [user(3)] });
    receipts.close();
    await wait(1_050);
    assert.deepEqual(asked, [[user(2)]]);
    assert.equal(told.length, 1);
  });

  it('tells a person’s own devices where each chat stands', async () => {
    const { feed: receipts, told } = feed(`user:${user(1)}`);
    receipts.accept({ own: { chatId: CHAT, lastReadSeq: 1, lastDeliveredSeq: 1 } });
    for (let seq = 2; seq < 9; seq++) receipts.accept({ own: { chatId: CHAT, lastReadSeq: seq, lastDeliveredSeq: seq } });
    await wait(1_050);
    assert.deepEqual(told.map(({ typename }) => typename), ['ViewerReceiptChanged', 'ViewerReceiptChanged']);
    receipts.close();
  });
});
