import { AsyncLocalStorage } from 'node:async_hooks';
import { execute, parse, type DocumentNode, type ExecutionResult, type GraphQLSchema } from 'graphql';
import { createDataSource } from '../../ormconfig.js';
import type { Config } from '../../src/config.js';
import { createContainer, type Container } from '../../src/container.js';
import { migrate } from '../../src/db/migrate.js';
import { systemClock, type Clock } from '../../src/lib/clock.js';
import { decodeId, decodeMessageId, encodeId, newId } from '../../src/lib/ids.js';
import type { Logger } from '../../src/lib/logger.js';
import { buildSchema } from '../../src/resolvers/build-schema.js';
import { RequestContext } from '../../src/resolvers/context.js';
import { Passwords } from '../../src/services/passwords.js';
import { planWorld, type ChatPlan, type ChatStep, type GroupPlan, type Size, type WorldPlan } from './plan.js';
import { Random } from './random.js';

export const PASSWORD = 'a good password';
const MARK = 'seed';
const DAY_MS = 86_400_000;
/** Chats that are filled at the same time. */
const CONCURRENCY = 32;

const DOCUMENTS = {
  syncContacts: 'mutation ($input: SyncContactsInput!) { syncContacts(input: $input) { matches { phone } } }',
  createGroup: 'mutation ($input: CreateGroupInput!) { createGroup(input: $input) { group { id chats(first: 1) { edges { node { id } } } } } }',
  addGroupMembers: 'mutation ($input: AddGroupMembersInput!) { addGroupMembers(input: $input) { group { id } } }',
  createChat: 'mutation ($input: CreateChatInput!) { createChat(input: $input) { chat { id } } }',
  sendMessage: 'mutation ($input: SendMessageInput!) { sendMessage(input: $input) { message { id } } }',
  addReaction: 'mutation ($input: AddReactionInput!) { addReaction(input: $input) { message { id } } }',
  votePoll: 'mutation ($input: VotePollInput!) { votePoll(input: $input) { message { id } } }',
  editMessage: 'mutation ($input: EditMessageInput!) { editMessage(input: $input) { message { id } } }',
  createShop: 'mutation ($input: CreateShopInput!) { createShop(input: $input) { shop { id } } }',
  createProduct: 'mutation ($input: CreateProductInput!) { createProduct(input: $input) { product { id } } }',
  setProductStatus: 'mutation ($input: SetProductStatusInput!) { setProductStatus(input: $input) { product { id } } }',
  updatePersonalization: 'mutation ($input: UpdatePersonalizationInput!) { updatePersonalization(input: $input) { personalization { enabled } } }',
  recordInteractions: 'mutation ($input: RecordInteractionsInput!) { recordInteractions(input: $input) { recorded } }',
  pinMessage: 'mutation ($input: PinMessageInput!) { pinMessage(input: $input) { message { id } } }',
} as const;
type Operation = keyof typeof DOCUMENTS;

export interface Seeded {
  /** False when the database held the world already. */
  made: boolean;
  logins: { name: string; email: string }[];
  counts: { people: number; groups: number; chats: number; messages: number };
}

/** What the database remembers of its seeding, so that a seeding that was killed goes on where it was. */
interface Mark {
  seed: number;
  from: string;
  done: boolean;
}

/**
 * Fills a database with the world of a seed number, through the API's own operations: so streams, counts and events are
 * what they would be had all of it happened. Safe to repeat: what is there already stays as it is.
 */
export async function seedWorld(config: Config & { DATABASE_URL: string }, log: Logger, seed: number, size: Size): Promise<Seeded> {
  const url = new URL(config.DATABASE_URL);
  // A power cut may cost the last moments of a seeding, which can be repeated.
  url.searchParams.set('options', '-c synchronous_commit=off');
  const source = createDataSource(url.toString(), 12);
  await source.initialize();
  try {
    await migrate(source);
    const container = await createContainer(config, source, log, storyClock);
    try {
      return await new Player(container, seed, size).play();
    } finally {
      await container.close();
    }
  } finally {
    await source.destroy();
  }
}

const storyTime = new AsyncLocalStorage<Date>();
/** The time at which what runs is said to happen. */
const storyClock: Clock = { now: () => storyTime.getStore() ?? systemClock.now() };

class Player {
  readonly #schema: GraphQLSchema;
  readonly #documents = Object.fromEntries(Object.entries(DOCUMENTS).map(([name, text]) => [name, parse(text)])) as Record<Operation, DocumentNode>;
  readonly #world: WorldPlan;
  #seed: number;
  #from = 0;
  #userIds: string[] = [];
  readonly #groupIds: string[] = [];
  readonly #firstChats: string[] = [];
  readonly #chatIds = new Map<ChatPlan, string>();
  readonly #said: { chatId: string; seq: number; at: Date }[] = [];

  constructor(
    private readonly container: Container,
    seed: number,
    size: Size,
  ) {
    this.#seed = seed;
    this.#world = planWorld(seed, size);
    this.#schema = buildSchema({ get: (type) => container.resolvers.get(type) });
  }

  async play(): Promise<Seeded> {
    const { sql } = this.container.db;
    const mark: Mark = { seed: this.#seed, from: new Date(Math.floor(Date.now() / 1000) * 1000 - this.#world.length).toISOString(), done: false };
    await sql('insert into server_keys (name, value) values ($1, $2) on conflict do nothing', [MARK, JSON.stringify(mark)]);
    const [kept] = await sql<{ value: string }>('select value from server_keys where name = $1', [MARK]);
    const known = JSON.parse(kept!.value) as Mark;
    if (known.done) return this.#report(false);
    if (known.seed !== this.#seed) throw new Error(`A seeding with the number ${known.seed} was begun here: finish it with that number, or take another database.`);
    this.#from = Date.parse(known.from);
    await this.#people();
    await this.#circles();
    await eachOf(this.#world.chats, CONCURRENCY, (chat) => this.#talk(chat));
    await this.#likes();
    await this.#setTimes();
    await this.#setPointers();
    await sql('update server_keys set value = $2 where name = $1', [MARK, JSON.stringify({ ...known, done: true } satisfies Mark)]);
    return this.#report(true);
  }

  /** Accounts are made by SQL: one password is hashed once for all. */
  async #people(): Promise<void> {
    const { sql } = this.container.db;
    const { people } = this.#world;
    const random = new Random(this.#seed + 1);
    const passwordHash = await new Passwords().hash(PASSWORD);
    await sql(
      `insert into users (id, handle, handle_key, display_name, email, email_verified_at, phone, about, password_hash, last_seen_at, created_at)
       select u.id, u.handle, lower(u.handle), u.name, u.email, u.created_at, u.phone, u.about, $7, u.seen_at, u.created_at
       from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $8::timestamptz[], $9::timestamptz[]) u(id, handle, name, email, phone, about, created_at, seen_at)
       on conflict do nothing`,
      [
        people.map(() => newId()), people.map((person) => person.handle), people.map((person) => person.displayName), people.map((person) => person.email),
        people.map((person) => person.phone), people.map((person) => person.about), passwordHash,
        people.map(() => new Date(this.#from - random.between(1, 300) * DAY_MS)), people.map(() => new Date(Date.now() - random.between(60_000, DAY_MS))),
      ],
    );
    const rows = await sql<{ id: string; email: string }>('select id, email from users where email = any($1)', [people.map((person) => person.email)]);
    const ids = new Map(rows.map((row) => [row.email, row.id]));
    const absent = people.filter((person) => !ids.has(person.email));
    if (absent.length) throw new Error(`Other people here have these handles or numbers: ${absent.map((person) => person.handle).join(', ')}. Seed another database.`);
    this.#userIds = people.map((person) => ids.get(person.email)!);
  }

  /** The corner shop, and what people say of themselves and like of its goods. */
  async #likes(): Promise<void> {
    const { people, goods, length } = this.#world;
    const keeper = people.length - 1;
    const { createShop } = await this.#do<{ createShop: { shop: { id: string } } }>(0, keeper, 'createShop', { name: 'The corner shop', slug: 'corner-shop', currency: 'CHF', idempotencyKey: 'seed-shop' });
    const productIds: string[] = [];
    for (const [index, { title, topic }] of goods.entries()) {
      const { createProduct } = await this.#do<{ createProduct: { product: { id: string } } }>(index * 1_000, keeper, 'createProduct', {
        shopId: createShop.shop.id, title, description: `For everybody who likes ${topic.toLowerCase()}.`, variants: [{ sku: `corner-${index}`, prices: [{ amount: 500 + index * 150, currency: 'CHF' }], stock: 20 }], idempotencyKey: `seed-product-${index}`,
      });
      await this.#do(index * 1_000 + 500, keeper, 'setProductStatus', { productId: createProduct.product.id, status: 'PUBLISHED' });
      productIds.push(createProduct.product.id);
    }
    await eachOf([...people.entries()], CONCURRENCY, async ([index, { interests, profession, place, likes }]) => {
      await this.#do(length - index * 1_000, index, 'updatePersonalization', { interests, profession, place });
      await this.#do(length - index * 1_000, index, 'recordInteractions', { interactions: likes.map((good) => ({ idempotencyKey: `seed-like-${good}`, kind: 'LIKED', targetId: productIds[good] })) });
    });
  }

  /** Contacts, groups and chats come in the order of their times: they meet on people's own streams. */
  async #circles(): Promise<void> {
    const { people, contacts, groups, chats } = this.#world;
    const steps: { at: number; run(): Promise<unknown> }[] = [
      ...contacts.map((others, person) => ({
        at: person * 1_000,
        run: () => this.#do(person * 1_000, person, 'syncContacts', { entries: others.map((other) => ({ phone: people[other]!.phone, name: people[other]!.displayName })) }),
      })),
      ...groups.map((group, index) => ({ at: group.at, run: () => this.#group(group, index) })),
      ...chats.map((chat, index) => ({ at: chat.at, run: () => this.#chat(chat, index) })),
    ];
    for (const step of steps.sort((a, b) => a.at - b.at)) await step.run();
  }

  async #group({ at, topic, visibility, owner, members }: GroupPlan, index: number): Promise<void> {
    const { createGroup } = await this.#do<{ createGroup: { group: { id: string; chats: { edges: { node: { id: string } }[] } } } }>(at, owner, 'createGroup', {
      name: `${topic.name} ${index + 1}`, description: `For everybody who likes ${topic.tags.join(' and ')}.`, rules: 'Be kind. No advertising.', topics: topic.tags,
      visibility, joinPolicy: visibility === 'PUBLIC' ? 'OPEN' : visibility === 'PRIVATE' ? 'REQUEST' : 'INVITE', idempotencyKey: `seed-group-${index}`,
    });
    this.#groupIds[index] = createGroup.group.id;
    this.#firstChats[index] = createGroup.group.chats.edges[0]!.node.id;
    await this.#do(at + 60_000, owner, 'addGroupMembers', { groupId: createGroup.group.id, userIds: members.map((member) => this.#idOf(member)) });
  }

  async #chat(chat: ChatPlan, index: number): Promise<void> {
    if (chat.isFirst) {
      this.#chatIds.set(chat, this.#firstChats[chat.group!]!);
      return;
    }
    const { createChat } = await this.#do<{ createChat: { chat: { id: string } } }>(chat.at, chat.owner, 'createChat', {
      kind: chat.kind, memberIds: chat.others.map((other) => this.#idOf(other)), title: chat.title, groupId: chat.group === null ? null : this.#groupIds[chat.group], idempotencyKey: `seed-chat-${index}`,
    });
    this.#chatIds.set(chat, createChat.chat.id);
  }

  async #talk(chat: ChatPlan): Promise<void> {
    const said: string[] = [];
    for (const step of chat.steps) await this.#step(chat, step, said);
  }

  async #step(chat: ChatPlan, step: ChatStep, said: string[]): Promise<void> {
    const { at, by } = step;
    switch (step.kind) {
      case 'say': {
        const chatId = this.#chatIds.get(chat)!;
        const { sendMessage } = await this.#do<{ sendMessage: { message: { id: string } } }>(at, by, 'sendMessage', {
          chatId, text: step.text, replyToId: step.replyTo === undefined ? null : said[step.replyTo], threadRootId: step.thread === undefined ? null : said[step.thread],
          ...(step.poll ? { poll: step.poll } : {}), idempotencyKey: `seed-${chatId}-${said.length}`,
        });
        said.push(sendMessage.message.id);
        this.#said.push({ ...decodeMessageId(sendMessage.message.id), at: this.#time(at) });
        return;
      }
      case 'react':
        return void (await this.#do(at, by, 'addReaction', { messageId: said[step.message], emoji: step.emoji }));
      case 'vote':
        return void (await this.#do(at, by, 'votePoll', { messageId: said[step.message], optionIndexes: [step.option] }));
      case 'edit':
        return void (await this.#do(at, by, 'editMessage', { messageId: said[step.message], text: step.text }));
      case 'pin':
        return void (await this.#do(at, by, 'pinMessage', { messageId: said[step.message] }));
    }
  }

  /**
   * Messages of many chats are written in one batch, which has one time: each is given its own, and with it the events of
   * the same batch.
   */
  async #setTimes(): Promise<void> {
    const { sql } = this.container.db;
    const columns = [this.#said.map((message) => message.chatId), this.#said.map((message) => message.seq), this.#said.map((message) => message.at)];
    await sql('update messages m set created_at = t.at from unnest($1::uuid[], $2::int[], $3::timestamptz[]) t(chat_id, seq, at) where m.chat_id = t.chat_id and m.seq = t.seq', columns);
    await sql(
      `update events e set at = t.at from unnest($1::uuid[], $2::int[], $3::timestamptz[]) t(chat_id, seq, at)
       where e.stream = 'chat:' || t.chat_id and e.kind = 'message.sent' and (e.ref->>'seq')::int = t.seq and e.at <> t.at`,
      columns,
    );
    const chats = [[...this.#chatIds.values()].map((id) => decodeId('Chat', id))];
    await sql(
      `update events later set at = sent.at from events sent, unnest($1::uuid[]) c(id)
       where later.stream = 'chat:' || c.id and sent.stream = later.stream and sent.pos = later.pos - 1 and sent.kind = 'message.sent' and later.kind = 'message.updated' and later.xid = sent.xid`,
      chats,
    );
    await sql(
      `update messages root set thread_last_at = t.at from (select chat_id, thread_root_seq as seq, max(created_at) as at from messages where chat_id = any($1) and thread_root_seq is not null group by 1, 2) t
       where root.chat_id = t.chat_id and root.seq = t.seq`,
      chats,
    );
    await sql('update chats c set last_message_at = m.created_at from messages m where c.id = any($1) and m.chat_id = c.id and m.seq = c.last_seq', chats);
  }

  /** Most have read everything; some have a little left to read, a few have much. */
  async #setPointers(): Promise<void> {
    const random = new Random(this.#seed + 2);
    const rows = this.#world.chats.flatMap((chat) => {
      const chatId = decodeId('Chat', this.#chatIds.get(chat)!);
      return [chat.owner, ...chat.others].map((person) => ({ chatId, userId: this.#userIds[person]!, left: random.chance(0.6) ? 0 : random.chance(0.8) ? random.between(1, 6) : random.between(7, 150) }));
    });
    await this.container.db.sql(
      `update chat_members m set last_read_seq = greatest(m.last_read_seq, c.last_seq - t.left_over), last_delivered_seq = greatest(m.last_delivered_seq, c.last_seq - t.left_over / 2)
       from unnest($1::uuid[], $2::uuid[], $3::int[]) t(chat_id, user_id, left_over) join chats c on c.id = t.chat_id where m.chat_id = t.chat_id and m.user_id = t.user_id`,
      [rows.map((row) => row.chatId), rows.map((row) => row.userId), rows.map((row) => row.left)],
    );
  }

  async #report(made: boolean): Promise<Seeded> {
    const [counts] = await this.container.db.sql<Seeded['counts']>(
      `select (select count(*) from users)::int as people, (select count(*) from groups)::int as groups, (select count(*) from chats)::int as chats, (select count(*) from messages)::int as messages`,
    );
    return { made, counts: counts!, logins: this.#world.people.slice(0, 2).map(({ displayName, email }) => ({ name: displayName, email })) };
  }

  readonly #time = (at: number): Date => new Date(this.#from + at);
  readonly #idOf = (person: number): string => encodeId('User', this.#userIds[person]!);

  /** Runs one operation as somebody, at a time of the story. */
  #do<Data = unknown>(at: number, by: number, operation: Operation, input: object): Promise<Data> {
    return storyTime.run(this.#time(at), async () => {
      const context = new RequestContext(this.container.db, this.#time(at), { id: 'seed', address: '' }, { userId: this.#userIds[by]!, sessionId: newId(), role: 'USER' });
      const result: ExecutionResult = await execute({ schema: this.#schema, document: this.#documents[operation], rootValue: {}, contextValue: context, variableValues: { input } });
      if (result.errors?.length) throw new Error(`${operation}: ${result.errors[0]!.message}`, { cause: result.errors[0] });
      return result.data as Data;
    });
  }
}

async function eachOf<Item>(items: readonly Item[], concurrency: number, work: (item: Item) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (next < items.length) await work(items[next++]!);
    }),
  );
}
