import assert from 'node:assert/strict';
import { Seat, startCall, uuidOf } from '../testkit/calls.js';
import { checkOut, fillCart, openShop, sell } from '../testkit/commerce.js';
import { administrator, signedInAgain } from '../testkit/news.js';
import { eventually, fails, World, type Person } from '../testkit/world.js';

const DAY_MS = 86_400_000;

describe('figures by day', function () {
  this.timeout(60_000);
  let world: World;
  let root: Person;
  let ann: Person;
  let bob: Person;
  let cat: Person;
  let chatId: string;
  /** The first moment of the day on which it begins. */
  let monday: number;
  before(async () => {
    world = await World.start({ settings: { JOBS: 'false' } });
    // Ten in the morning of a Monday, so that neither midnight nor a new week comes in between.
    const now = world.clock.now().getTime();
    monday = Math.ceil((now - 4 * DAY_MS) / (7 * DAY_MS)) * 7 * DAY_MS + 4 * DAY_MS;
    world.clock.advance(monday + 10 * 3_600_000 - now);
    root = await administrator(world);
    [ann, bob, cat] = await world.people('Ann', 'Bob', 'Cat');
    chatId = await world.directChat(ann, bob);
  });
  after(() => world.stop());

  const roll = () => world.app.container.jobs.analytics.run();
  const read = async (person = root, days = 14) =>
    (await person.api.analytics({ since: new Date(monday).toISOString(), until: new Date(monday + days * DAY_MS).toISOString() })).analytics;

  it('count a day exactly, and again to the same', async () => {
    for (const text of ['one', 'two', 'three']) await world.say(ann, chatId, text);
    const removed = await world.say(bob, chatId, 'four');
    await bob.api.deleteMessage({ input: { messageId: removed.id, scope: 'FOR_EVERYONE' } });
    const callId = await startCall(world, ann, chatId);
    const seats = [await Seat.take(ann, callId), await Seat.take(bob, callId)];
    for (const seat of seats) await seat.leave();
    await eventually(async () => (await world.sql(`select from calls where state = 'ENDED'`)).length === 1, 'the call has ended');
    await world.sql(`update calls set answered_at = ended_at - interval '5 minutes' where id = $1`, [uuidOf(callId)]);
    await world.sql('update call_participants set talked_ms = 240000 where call_id = $1', [uuidOf(callId)]);
    const shop = await openShop(world, bob);
    const tea = await sell(world, shop, 'Tea');
    await fillCart(world, ann, shop, [[tea, 1]]);
    const result = await checkOut(world, cat, await fillCart(world, cat, shop, [[tea, 2]]));
    assert.ok(result.__typename === 'CheckoutCompleted');

    assert.equal(await roll(), 1);
    const first = await read();
    assert.deepEqual(first.days, [{
      day: new Date(monday).toISOString(), activePeople: 4, activePeople7: 4, activePeople30: 4, newPeople: 4, messages: 4, senders: 2, calls: 1, callers: 2, callMinutes: 5, participantMinutes: 8,
      carts: 2, orders: 1, buyers: 1, conversion: 0.25, botMessages: 0, botRequests: 0, final: false,
      revenue: [{ orders: 1, gross: { amount: 2000, currency: 'CHF' }, refunds: { amount: 0, currency: 'CHF' }, fees: { amount: 0, currency: 'CHF' } }],
    }]);
    assert.deepEqual(first.cohorts, [{ week: new Date(monday).toISOString(), people: 4, active: [4, 0] }]);
    assert.deepEqual((await Promise.all([roll(), roll()])), [1, 1]);
    assert.deepEqual((await read()).days, first.days);
  });

  it('the next days count what is new, and a day that is long over is not looked at again', async () => {
    world.clock.advance(DAY_MS);
    ann = await signedInAgain(world, ann);
    await world.say(ann, chatId, 'the next day');
    assert.equal(await roll(), 2);
    const [, tuesday] = (await read(await signedInAgain(world, root))).days;
    assert.deepEqual([tuesday!.activePeople, tuesday!.activePeople7, tuesday!.messages, tuesday!.newPeople], [1, 4, 1, 0]);
    world.clock.advance(6 * DAY_MS);
    ann = await signedInAgain(world, ann);
    assert.equal(await roll(), 8);
    root = await signedInAgain(world, root);
    const later = await read();
    assert.deepEqual(later.days.map((day) => day.final), [true, true, true, true, true, false, false, false]);
    assert.deepEqual(later.cohorts, [{ week: new Date(monday).toISOString(), people: 4, active: [4, 1] }]);
    assert.equal(later.days.at(-1)!.activePeople, 1);
    assert.equal(await roll(), 3);
  });

  it('are for analysts and administrators, in spans of a year at most', async () => {
    const [sam, eve] = await world.people('Sam', 'Eve');
    await root.api.setUserRoles({ input: { userId: sam.id, roles: ['ANALYST'] } });
    assert.equal((await read(await signedInAgain(world, sam))).days.length, 8);
    await fails(read(eve), 'FORBIDDEN');
    await fails(world.client().api.analytics({ since: new Date(monday).toISOString(), until: new Date(monday + 1).toISOString() }), 'UNAUTHENTICATED');
    await fails(read(root, 0), 'INVALID_INPUT', 'until');
    await fails(read(root, 367), 'INVALID_INPUT', 'until');
  });
});
