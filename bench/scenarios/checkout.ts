import { randomUUID } from 'node:crypto';
import { GraphqlSocket } from '../lib/graphql.js';
import { measured, type Ground } from '../lib/ground.js';
import type { Row } from '../lib/report.js';
import { OmniTalkTarget } from '../targets/omnitalk.js';
import { eachOf } from '../targets/target.js';
import { makeShop } from './cart.js';

const BUYERS = 64;
const WARM_UP = 200;
const ORDERS = 600;
const IN_FLIGHT = 32;
const ROUNDS = 3;

const CREATE = 'mutation ($input: CreateCartInput!) { createCart(input: $input) { cart { id } } }';
const ADD = 'mutation ($input: AddToCartInput!) { addToCart(input: $input) { cart { id } } }';
const CHECKOUT = 'mutation ($input: CheckoutInput!) { checkout(input: $input) { result { __typename ... on CheckoutCompleted { order { id state } } } } }';
const ADDRESS = { name: 'Ann Example', line1: 'Bahnhofstrasse 1', postalCode: '8001', city: 'Zürich', country: 'CH' };

/** Checkouts that pay by the sandbox, of carts with one line each: over 100 products, or of one that everybody wants. The carts are filled before the time is taken. */
export async function runCheckout(ground: Ground, products: number, profile?: string): Promise<Row> {
  const target = await OmniTalkTarget.start(ground);
  try {
    const buyers = await target.people(BUYERS);
    const shop = await makeShop(ground, buyers[0]!, products, 1_000_000);
    const sockets = await eachOf(buyers, 20, ({ token }) => GraphqlSocket.open(target.port, { authorization: `Bearer ${token}` }, () => undefined));
    const latencies: number[] = [];
    let turn = 0;
    const fill = (count: number) =>
      eachOf(Array.from({ length: count }, () => turn++), IN_FLIGHT, async (nth) => {
        const socket = sockets[nth % BUYERS]!;
        const { createCart } = (await socket.request(CREATE, { input: { shopId: shop.id, idempotencyKey: randomUUID() } })) as { createCart: { cart: { id: string } } };
        await socket.request(ADD, { input: { cartId: createCart.cart.id, variantId: shop.variantIds[nth % products], quantity: 1, idempotencyKey: randomUUID() } });
        return { socket, cartId: createCart.cart.id };
      });
    const pay = (carts: Awaited<ReturnType<typeof fill>>) =>
      eachOf(carts, IN_FLIGHT, async ({ socket, cartId }) => {
        const began = performance.now();
        const { checkout } = (await socket.request(CHECKOUT, { input: { cartId, terms: { address: ADDRESS }, idempotencyKey: randomUUID() } })) as { checkout: { result: { __typename: string } } };
        latencies.push(performance.now() - began);
        if (checkout.result.__typename !== 'CheckoutCompleted') throw new Error(`a checkout ended with ${checkout.result.__typename}`);
      });
    await pay(await fill(WARM_UP));
    latencies.length = 0;
    const rounds = [];
    for (let round = 0; round < ROUNDS; round++) {
      const carts = await fill(ORDERS);
      if (profile && round === 0) await target.server.startProfile();
      rounds.push(await measured(ground, target.server, () => pay(carts)));
      if (profile && round === 0) await target.server.endProfile(profile);
    }
    for (const socket of sockets) socket.destroy();
    const { rows } = await ground.sql.query<{ confirmed: number; booked: number }>(
      `select (select count(*)::int from orders where state = 'CONFIRMED' and shop_id = (select id from shops order by created_at desc limit 1)) as confirmed, (select coalesce(sum(amount), 0)::int from ledger_entries) as booked`,
    );
    if (rows[0]!.confirmed !== WARM_UP + ORDERS * ROUNDS || rows[0]!.booked !== 0) throw new Error(`${rows[0]!.confirmed} orders stand, the books come to ${rows[0]!.booked}`);
    const cost = rounds.sort((a, b) => a.seconds - b.seconds)[Math.floor(ROUNDS / 2)]!;
    const sorted = latencies.sort((a, b) => a - b);
    return {
      'checkouts/s': ORDERS / cost.seconds,
      'server CPU ms / checkout': (cost.server / ORDERS) * 1e3,
      'database CPU ms / checkout': (cost.database / ORDERS) * 1e3,
      'p50 ms': sorted[Math.floor(sorted.length * 0.5)]!,
      'p99 ms': sorted[Math.floor(sorted.length * 0.99)]!,
      'client CPU share': cost.client / cost.seconds,
    };
  } finally {
    await target.stop();
  }
}
