import { randomUUID } from 'node:crypto';
import { encodeId, newId } from '../../src/lib/ids.js';
import { GraphqlSocket } from '../lib/graphql.js';
import { measured, type Ground } from '../lib/ground.js';
import type { BenchPerson } from '../lib/people.js';
import type { Row } from '../lib/report.js';
import { OmniTalkTarget } from '../targets/omnitalk.js';
import { eachOf } from '../targets/target.js';

const PEOPLE = 200;
const VARIANTS = 20;
const WARM_UP = 100;
const EDITS = 500;
const IN_FLIGHT = 32;
const ROUNDS = 3;
const TOLD_WITHIN_MS = 120_000;

const CREATE = 'mutation ($input: CreateCartInput!) { createCart(input: $input) { cart { id eventCursor } } }';
const SHARE = 'mutation ($input: ShareCartInput!) { shareCart(input: $input) { message { id } } }';
const ADD = 'mutation ($input: AddToCartInput!) { addToCart(input: $input) { cart { id version } } }';
const EVENTS = `subscription ($cartId: ID!, $after: EventCursor) { cartEvents(cartId: $cartId, after: $after) {
  ... on CartLineChanged { variantId cart { version subtotal { amount } } line { quantity subtotal { amount } shares { quantity user { id } } } } } }`;

export interface BenchShop {
  id: string;
  variantIds: string[];
}

/** A shop with so many products of one variant, made by SQL; there is always enough of them. */
export async function makeShop(ground: Ground, owner: BenchPerson, products: number, stock: number): Promise<BenchShop> {
  const [shopId, locationId] = [newId(), newId()];
  const ids = Array.from({ length: products }, () => ({ product: newId(), variant: newId() }));
  const columns = [shopId, ids.map(({ product }) => product), ids.map(({ variant }) => variant)];
  await ground.sql.query(`insert into shops (id, owner_id, slug, name, currency, created_at) values ($1::uuid, $2, $1::uuid::text, 'Bench', 'CHF', now())`, [shopId, owner.userId]);
  await ground.sql.query(`insert into stock_locations (id, shop_id, name, position, created_at) values ($1, $2, 'Here', 0, now())`, [locationId, shopId]);
  await ground.sql.query(
    `insert into products (id, shop_id, slug, title, status, words, created_at, updated_at, published_at) select p, $1, 'p-' || n, 'Product ' || n, 'PUBLISHED', to_tsvector('simple', 'product'), now(), now(), now()
     from unnest($2::uuid[], $3::uuid[]) with ordinality t(p, v, n)`,
    columns,
  );
  await ground.sql.query(
    `insert into product_variants (id, product_id, shop_id, sku, option_values, position, track_stock) select v, p, $1, 'sku-' || n, '{}', 0, true from unnest($2::uuid[], $3::uuid[]) with ordinality t(p, v, n)`,
    columns,
  );
  await ground.sql.query(`insert into variant_prices (variant_id, currency, amount) select v, 'CHF', 1000 from unnest($1::uuid[]) v`, [columns[2]]);
  await ground.sql.query(`insert into product_prices (product_id, currency, min_amount, max_amount) select p, 'CHF', 1000, 1000 from unnest($1::uuid[]) p`, [columns[1]]);
  await ground.sql.query('insert into stock_levels (variant_id, location_id, on_hand) select v, $2, $3 from unnest($1::uuid[]) v', [columns[2], locationId, stock]);
  await ground.sql.query('analyze');
  return { id: encodeId('Shop', shopId), variantIds: ids.map(({ variant }) => encodeId('ProductVariant', variant)) };
}

/** One cart that 200 people of a chat fill, while each of them follows it: every edit is told to all. */
export async function runCart(ground: Ground, profile?: string): Promise<Row> {
  const target = await OmniTalkTarget.start(ground);
  try {
    const people = await target.people(PEOPLE);
    const owner = people[0]!;
    const [chat] = await target.chats([people]);
    const shop = await makeShop(ground, owner, VARIANTS, 1_000_000);
    const { createCart } = (await target.ask(owner, CREATE, { input: { shopId: shop.id, idempotencyKey: randomUUID() } })) as unknown as { createCart: { cart: { id: string; eventCursor: string } } };
    const cartId = createCart.cart.id;
    await target.ask(owner, SHARE, { input: { cartId, chatId: chat!.id, idempotencyKey: randomUUID() } });
    let told = 0;
    let heard = (): void => undefined;
    const sockets = await eachOf(people, 20, (person) =>
      GraphqlSocket.open(target.port, { authorization: `Bearer ${person.token}` }, (buffer, start, end) => {
        // What lies behind a frame in the buffer is of another one.
        const at = buffer.indexOf('"line"', start, 'latin1');
        if (at < 0 || at >= end) return;
        told++;
        heard();
      }),
    );
    for (const socket of sockets) socket.subscribe('s', EVENTS, { cartId, after: createCart.cart.eventCursor });
    const latencies: number[] = [];
    let turn = 0;
    const edit = async (count: number) => {
      const wanted = told + count * PEOPLE;
      const all = new Promise<void>((resolve) => (heard = () => (told >= wanted ? resolve() : undefined)));
      // A subscription that has ended hears nothing more: without this, the run would wait for ever.
      let watch: NodeJS.Timeout | undefined;
      const until = performance.now() + TOLD_WITHIN_MS;
      const failed = new Promise<never>((_, reject) => {
        watch = setInterval(() => {
          const fault = sockets.find((socket) => socket.fault)?.fault;
          if (fault) reject(fault);
          else if (performance.now() > until) reject(new Error(`of ${wanted} events ${told} were told`));
        }, 250);
      });
      let left = count;
      const edits = Promise.all(
        Array.from({ length: IN_FLIGHT }, async () => {
          while (left-- > 0) {
            const nth = turn++;
            const began = performance.now();
            await sockets[nth % PEOPLE]!.request(ADD, { input: { cartId, variantId: shop.variantIds[nth % VARIANTS], quantity: 1, idempotencyKey: randomUUID() } });
            latencies.push(performance.now() - began);
          }
        }),
      );
      try {
        await Promise.race([Promise.all([edits, all]), failed]);
      } finally {
        clearInterval(watch);
      }
    };
    await edit(WARM_UP);
    latencies.length = 0;
    if (profile) await target.server.startProfile();
    const rounds = [];
    for (let round = 0; round < ROUNDS; round++) rounds.push(await measured(ground, target.server, () => edit(EDITS)));
    if (profile) await target.server.endProfile(profile);
    for (const socket of sockets) socket.destroy();
    const { rows } = await ground.sql.query<{ n: number }>('select sum(quantity)::int as n from cart_shares');
    if (rows[0]!.n !== WARM_UP + EDITS * ROUNDS) throw new Error(`${WARM_UP + EDITS * ROUNDS} were added, and ${rows[0]!.n} are in the cart`);
    const cost = rounds.sort((a, b) => a.seconds - b.seconds)[Math.floor(ROUNDS / 2)]!;
    const sorted = latencies.sort((a, b) => a - b);
    return {
      'edits/s': EDITS / cost.seconds,
      'events told/s': (EDITS * PEOPLE) / cost.seconds,
      'server CPU ms / edit': (cost.server / EDITS) * 1e3,
      'database CPU ms / edit': (cost.database / EDITS) * 1e3,
      'p50 ms': sorted[Math.floor(sorted.length * 0.5)]!,
      'p99 ms': sorted[Math.floor(sorted.length * 0.99)]!,
      'client CPU share': cost.client / cost.seconds,
    };
  } finally {
    await target.stop();
  }
}
