import assert from 'node:assert/strict';
import pg from 'pg';
import { OmniTalkError } from '../../sdk/index.js';
import { encodeId } from '../../src/lib/ids.js';
import type { PaymentGateway, PaymentOutcome, RefundOutcome } from '../../src/payments/contract.js';
import { SandboxGateway, type SandboxPayment, type SandboxStore } from '../../src/payments/sandbox.js';
import { checkOut, confirm, fillCart, openShop, sell, terms, type Shop, type Sold } from '../testkit/commerce.js';
import { eventually, World, type Person } from '../testkit/world.js';

/** `npm run test:commerce` runs it long; `npm test` has the short form. */
const OPERATIONS = Number(process.env['COMMERCE_RUN'] ?? 240);
const SEED = Number(process.env['COMMERCE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const AT_ONCE = 6;
/** Of a hundred talks with the gateway, so many end in the death of whoever talked, before or after the gateway has heard. */
const DEATHS = 8;
/** After so many operations PostgreSQL loses all its connections in the middle of whatever they do. */
const CUT_EVERY = 60;
const TOLERATED = new Set(['STATE_CONFLICT', 'INVALID_INPUT', 'LIMIT_REACHED', 'NOT_FOUND', 'INTERNAL', 'UNAVAILABLE', 'IDEMPOTENCY_KEY_REUSED']);

/** The same numbers for the same seed (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** A gateway's memory that no crash of ours touches. */
class Memory implements SandboxStore {
  readonly payments = new Map<string, SandboxPayment>();
  readonly #refunds = new Map<string, RefundOutcome>();

  add(payment: SandboxPayment): Promise<{ payment: SandboxPayment; fresh: boolean }> {
    const known = this.payments.get(payment.key);
    if (!known) this.payments.set(payment.key, { ...payment });
    return Promise.resolve({ payment: { ...(known ?? payment) }, fresh: !known });
  }
  read(key: string): Promise<SandboxPayment | null> {
    const known = this.payments.get(key);
    return Promise.resolve(known ? { ...known } : null);
  }
  setState(key: string, from: PaymentOutcome['state'][], to: PaymentOutcome['state'], captured = 0): Promise<SandboxPayment | null> {
    const known = this.payments.get(key);
    if (!known || !from.includes(known.state) || captured > known.amount) return Promise.resolve(null);
    return Promise.resolve({ ...Object.assign(known, { state: to, captured }) });
  }
  list(_since: Date, _until: Date, after: string): Promise<SandboxPayment[]> {
    return Promise.resolve([...this.payments.values()].filter(({ key }) => key > after).sort((a, b) => (a.key < b.key ? -1 : 1)).slice(0, 100));
  }
  refund(key: string, paymentKey: string, amount: number): Promise<RefundOutcome> {
    const known = this.#refunds.get(key);
    if (known) return Promise.resolve(known);
    const payment = this.payments.get(paymentKey);
    const done = payment?.state === 'CAPTURED' && payment.refunded + amount <= payment.captured;
    if (done) payment.refunded += amount;
    this.#refunds.set(key, done ? 'DONE' : 'REFUSED');
    return Promise.resolve(done ? 'DONE' : 'REFUSED');
  }
}

/** Dies now and then, before the gateway has heard or after it has done what it was asked. */
class Mortal implements PaymentGateway {
  deaths = 0;
  dying = true;

  constructor(
    private readonly inner: SandboxGateway,
    private readonly chance: (below: number) => number,
  ) {}

  pay = (...given: Parameters<SandboxGateway['pay']>) => this.#die(() => this.inner.pay(...given));
  find = (...given: Parameters<SandboxGateway['find']>) => this.#die(() => this.inner.find(...given));
  capture = (...given: Parameters<SandboxGateway['capture']>) => this.#die(() => this.inner.capture(...given));
  void = (...given: Parameters<SandboxGateway['void']>) => this.#die(() => this.inner.void(...given));
  refund = (...given: Parameters<SandboxGateway['refund']>) => this.#die(() => this.inner.refund(...given));
  list = (...given: Parameters<SandboxGateway['list']>) => this.inner.list(...given);

  async #die<Result>(work: () => Promise<Result>): Promise<Result> {
    const fate = this.dying ? this.chance(200) : 200;
    if (fate < DEATHS) throw this.#death();
    const result = await work();
    if (fate < 2 * DEATHS) throw this.#death();
    return result;
  }

  #death(): Error {
    this.deaths++;
    return new Error('the process has died here');
  }
}

describe(`a run of ${OPERATIONS} operations on orders and money, with crashes (seed ${SEED})`, () => {
  const chance = random(SEED);
  const pick = <Item>(items: readonly Item[]): Item => items[chance(items.length)]!;
  const memory = new Memory();
  const gateway = new Mortal(new SandboxGateway(memory), random(SEED + 1));
  const orders: { id: string; buyer: Person; shop: Shop }[] = [];
  const cards: { code: string; shop: Shop }[] = [];
  const refused = new Map<string, number>();
  let cut = 0;
  let world: World;
  let admin: pg.Client;
  let buyers: Person[];
  let root: Person;
  let shops: { shop: Shop; goods: Sold[] }[];

  before(async function () {
    this.timeout(60_000);
    world = await World.start({ settings: { PLATFORM_FEE_BPS: '290', ACCESS_TOKEN_TTL: '86400' }, gateways: { sandbox: gateway } });
    const [ann, ben, ...others] = await world.people('Ann', 'Ben', 'Cleo', 'Dora', 'Emil', 'Root');
    root = others.pop()!;
    buyers = others;
    await world.sql(`update users set role = 'ADMIN' where handle = 'root'`);
    const { signIn } = await world.client().api.signIn({ input: { email: 'root@example.com', password: 'password of root', device: 'again' } });
    const client = world.client(signIn.accessToken);
    root = { ...root, client, api: client.api };
    shops = await Promise.all(
      [ann!, ben!].map(async (owner, index) => {
        const shop = await openShop(world, owner);
        if (index) await owner.api.updateShop({ input: { shopId: shop.id, holdPayments: true } });
        return { shop, goods: [await sell(world, shop, 'Tea', { amount: 733, stock: 1_000_000 }), await sell(world, shop, 'Last cups', { amount: 1_999, stock: 20 })] };
      }),
    );
    admin = new pg.Client({ connectionString: world.databaseUrl });
    await admin.connect();
  });
  after(async () => {
    await admin.end();
    await world.stop();
  });

  async function buy(): Promise<void> {
    const { shop, goods } = pick(shops);
    const buyer = pick(buyers);
    const fill = () => fillCart(world, buyer, shop, [[pick(goods), 1 + chance(3)]]);
    const cartId = await fill().catch(async (error: unknown) => {
      if (!(error instanceof OmniTalkError && error.code === 'LIMIT_REACHED')) throw error;
      await clearAway(buyer);
      return fill();
    });
    const own = cards.filter((card) => card.shop === shop);
    const giftCardCodes = own.length && chance(3) === 0 ? [pick(own).code] : [];
    const method = pick(['sandbox_ok', 'sandbox_ok', 'sandbox_ok', 'sandbox_declined', 'sandbox_action', 'sandbox_action_failed', 'sandbox_timeout', 'sandbox_lost', 'sandbox_pending']);
    const how = chance(8) === 0 ? { provider: 'manual', method: 'invoice' } : { method };
    const idempotencyKey = world.key();
    const attempt = () => checkOut(world, buyer, cartId, { ...how, terms: terms({ giftCardCodes }), idempotencyKey });
    // A client that got no answer asks again under its key.
    const result = await attempt().catch((error: unknown) => (crashed(error) ? attempt() : Promise.reject(error as Error)));
    if ('order' in result) orders.push({ id: result.order.id, buyer, shop });
  }

  /** Payments that failed have opened carts again. */
  async function clearAway(buyer: Person): Promise<void> {
    // By the one connection that is never cut: this is no operation, and may not fail.
    const { rows: open } = await admin.query<{ id: string }>(`select id from carts where owner_id = (select id from users where handle = $1) and state = 'OPEN'`, [buyer.handle]);
    for (const { id } of open) await buyer.api.closeCart({ input: { cartId: encodeId('Cart', id) } });
  }

  async function act(): Promise<unknown> {
    const order = orders.length ? pick(orders.slice(-60)) : null;
    if (!order || chance(4) === 0) return buy();
    const { id: orderId, buyer, shop: { owner, id: shopId } } = order;
    const idempotencyKey = world.key();
    const verbs: (() => Promise<unknown>)[] = [
      () => confirm(buyer, orderId),
      () => pick([buyer, owner]).api.cancelOrder({ input: { orderId } }),
      () => owner.api.capturePayment({ input: { orderId, ...(chance(2) ? { amount: 1 + chance(700) } : {}) } }),
      () => owner.api.fulfillOrder({ input: { orderId, idempotencyKey } }),
      async () => {
        const { fulfillments } = (await owner.api.order({ id: orderId })).order!;
        if (fulfillments.length) await owner.api.deliverFulfillment({ input: { fulfillmentId: pick(fulfillments).id } });
      },
      () => owner.api.refundOrder({ input: { orderId, ...(chance(2) ? { amount: 1 + chance(900) } : {}), idempotencyKey } }),
      async () => {
        const { lines } = (await buyer.api.order({ id: orderId })).order!;
        await buyer.api.requestReturn({ input: { orderId, lines: [{ lineId: lines[0]!.id, quantity: 1 }], idempotencyKey } });
      },
      async () => {
        const returned = (await owner.api.order({ id: orderId })).order!.returns.at(-1);
        if (returned?.state === 'REQUESTED') await owner.api.decideReturn({ input: { returnId: returned.id, approve: chance(4) > 0 } });
        else if (returned) await owner.api.receiveReturn({ input: { returnId: returned.id, restock: chance(2) > 0 } });
      },
      async () => {
        const { issueGiftCard } = await owner.api.issueGiftCard({ input: { shopId, value: { amount: 100 + chance(3_000), currency: 'CHF' }, idempotencyKey } });
        cards.push({ code: issueGiftCard.code!, shop: order.shop });
      },
      async () => {
        const { payout } = (await owner.api.requestPayout({ input: { shopId, currency: 'CHF', ...(chance(2) ? { amount: 1 + chance(2_000) } : {}), idempotencyKey } })).requestPayout;
        if (chance(3)) await root.api.settlePayout({ input: { payoutId: payout.id, state: pick(['PAID', 'FAILED']) } });
      },
      () => Promise.resolve(world.clock.advance(20_000)),
    ];
    return pick(verbs)();
  }

  it('leaves the books, the stock and the gateway in agreement to the cent', async function () {
    this.timeout(OPERATIONS * 2_000 + 120_000);
    let done = 0;
    const worker = async () => {
      while (done < OPERATIONS) {
        const number = ++done;
        if (number % CUT_EVERY === 0) {
          cut += (await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()')).rowCount ?? 0;
        }
        await act().catch((error: unknown) => {
          const code = error instanceof OmniTalkError ? error.code : String(error);
          if (!TOLERATED.has(code)) throw error;
          refused.set(code, (refused.get(code) ?? 0) + 1);
        });
      }
    };
    await Promise.all([...Array(AT_ONCE)].map(worker));
    assert.ok(cut > 0 && gateway.deaths > 0, 'nothing has crashed');
    assert.ok((refused.get('INTERNAL') ?? 0) <= gateway.deaths, 'what is lost with a connection is told as that');

    // Nobody dies any more: whatever was begun comes to its end.
    gateway.dying = false;
    const open = `select 1 from payments where try_at is not null union all select 1 from refunds where state = 'CREATED'`;
    await eventually(
      async () => {
        world.clock.advance(31 * 60_000);
        return (await world.sql(open)).length === 0;
      },
      'every payment and refund has come to an end',
      90_000,
    );
    await world.app.container.jobs.reconciliation.run();
    await agree();
    console.log(`      ${orders.length} orders, ${gateway.deaths} deaths beside the gateway, ${cut} connections cut; refused: ${[...refused].map(([code, n]) => `${code} ${n}`).join(', ')}`);
  });

  async function agree(): Promise<void> {
    const { sql } = world.app.container.db;
    assert.deepEqual(await sql('select transaction_id from ledger_entries group by transaction_id, currency having sum(amount) <> 0'), [], 'a transaction does not balance');
    // Each payment is what its gateway says, and an order that is gone has cost nobody anything.
    const ours = await sql<{ key: string; state: string; captured: number; refunded: number; order: string }>(
      `select p.id::text as key, p.state, p.captured::int as captured, p.refunded::int as refunded, o.state as order from payments p join orders o on o.id = p.order_id where p.provider = 'sandbox'`,
    );
    for (const { key, state, captured, refunded, order } of ours) {
      const theirs = memory.payments.get(key) ?? { state: 'FAILED', captured: 0, refunded: 0 };
      assert.deepEqual([state, captured, refunded], [theirs.state, theirs.captured, theirs.refunded], key);
      if (order === 'CANCELLED') assert.equal(captured, refunded, key);
    }
    assert.ok([...memory.payments.keys()].every((key) => ours.some((payment) => payment.key === key)), 'the gateway knows a payment that we do not');
    const accounts = new Map((await sql<{ account: string; sum: number }>('select account, sum(amount)::float8 as sum from ledger_entries group by account')).map(({ account, sum }) => [account, sum]));
    const taken = [...memory.payments.values()].reduce((sum, { captured, refunded }) => sum + captured - refunded, 0);
    assert.equal(-(accounts.get('provider:sandbox') ?? 0), taken, 'what the gateway holds');
    assert.equal([...accounts.values()].reduce((sum, amount) => sum + amount, 0), 0);
    for (const { shop } of shops) {
      const [shopId] = (await sql<{ id: string }>('select id from shops where slug = $1', [shop.slug])).map(({ id }) => id);
      const [gifts] = await sql<{ owed: number }>(
        `select ((select coalesce(sum(balance), 0) from gift_cards where shop_id = $1) + (select coalesce(sum(u.amount), 0) from order_gift_cards u join orders o on o.id = u.order_id
           where o.shop_id = $1 and not exists (select from ledger_transactions t where t.kind = 'SALE' and t.ref = o.id)))::float8 as owed`,
        [shopId],
      );
      assert.equal(accounts.get(`gifts:${shopId}`) ?? 0, gifts!.owed, 'what is owed on gift cards');
      const [payouts] = await sql<{ underWay: number; paid: number }>(
        `select coalesce(sum(amount) filter (where state = 'REQUESTED'), 0)::float8 as "underWay", coalesce(sum(amount) filter (where state = 'PAID'), 0)::float8 as paid from payouts where shop_id = $1`,
        [shopId],
      );
      assert.deepEqual([accounts.get(`payouts:${shopId}`) ?? 0, accounts.get(`paid:${shopId}`) ?? 0], [payouts!.underWay, payouts!.paid]);
    }
    // Stock: what is reserved is what open orders hold, and what is there is what came less what went.
    assert.deepEqual(
      await sql(
        `select l.variant_id from stock_levels l left join stock_reservations r on r.variant_id = l.variant_id and r.location_id = l.location_id
         group by l.variant_id, l.location_id, l.reserved having l.reserved <> coalesce(sum(r.quantity), 0)`,
      ),
      [],
    );
    assert.deepEqual(await sql(`select l.variant_id from stock_levels l where l.on_hand <> (select coalesce(sum(m.delta), 0) from stock_movements m where m.variant_id = l.variant_id and m.location_id = l.location_id)`), []);
    assert.deepEqual(await sql(`select r.order_id from stock_reservations r join orders o on o.id = r.order_id where o.state = 'CANCELLED' and r.quantity > 0`), []);
  }
});

const crashed = (error: unknown): boolean => error instanceof OmniTalkError && (error.code === 'INTERNAL' || error.code === 'UNAVAILABLE');
