import assert from 'node:assert/strict';
import fc from 'fast-check';
import { defaultFieldResolver, execute, isObjectType, isUnionType, parse, print, stripIgnoredCharacters, TypeInfo, visit, visitWithTypeInfo, type DocumentNode, type GraphQLObjectType, type GraphQLSchema } from 'graphql';
import { pino } from 'pino';
import { chatStream, parseStream, userStream } from '../../src/events/catalogue.js';
import { decodeId } from '../../src/lib/ids.js';
import { buildSchema } from '../../src/resolvers/build-schema.js';
import { RequestContext, type Viewer } from '../../src/resolvers/context.js';
import { VIEWER_DEPENDENT } from '../../src/resolvers/viewer-dependent.js';
import { Engine, type Prepared } from '../../src/server/engine.js';
import { ErrorMapper } from '../../src/server/errors.js';
import { ReceiptFeed } from '../../src/server/realtime/receipt-feed.js';
import { RenderableEvent, type RenderGroup } from '../../src/server/realtime/render-group.js';
import { Subscriptions, type Source } from '../../src/server/realtime/subscriptions.js';
import { withMarks } from '../../src/server/viewer-parts.js';
import { DeliveredEvent, hydrate } from '../../src/services/chat-events.js';
import { Seat, startCall } from '../testkit/calls.js';
import { Publisher } from '../testkit/publisher.js';
import { INBOX_KINDS, scenariosOf } from '../testkit/scenarios.js';
import { documents, fieldsReachedFrom, holdersIn, type GeneratedDocument, type RootField } from '../testkit/subscription-documents.js';
import { eventually, World, type Person } from '../testkit/world.js';

const SEED = Number(process.env['SEED'] ?? 20261120);
const REQUEST = { id: 'test', address: '' };
/** Of each kind of event that a document selects, so many are rendered: the third time it is compiled. */
const EVENTS_EACH = 3;
const DOCUMENTS_A_ROUND = 6;
const LEAST_ROUNDS = 6;
/** Past those, what is wanted still is looked for again and again. */
const LOOK_EVERY = 4;
const DOCUMENTS_LOOKED_BY = 2;
/** A round with its search for a small counterexample. */
const SHRINKING_MS = 15_000;
/** Of this process's CPU, so that a busy machine changes nothing. */
const PATIENCE_MS = 120_000;
const cpuMs = (): number => process.cpuUsage().user / 1000;

/** People whose seat in the call keeps a connection open. */
const SEATED = 2;

/** Types that no event shows yet, since nothing writes them. Whoever makes them be written is told to take them out. */
const NOT_WRITTEN_YET: readonly string[] = [];

/** Who may hear an event, and from which message they see its chat. */
interface Audience {
  event: DeliveredEvent;
  viewers: { viewer: Viewer; visibleFrom: number }[];
}

describe('an execution that is shared shows each viewer what their own would', function () {
  this.timeout(900_000);
  let world: World;
  let publisher: Publisher;
  let schema: GraphQLSchema;
  /** The same, noting which fields were resolved. */
  let watched: GraphQLSchema;
  let engine: Engine;
  let errors: ErrorMapper;
  /** By the name of the event's type. */
  const audiences = new Map<string, Audience[]>();
  const resolved = new Set<string>();
  /** Types of what the last execution has met, and by type the events that show one. */
  const met = new Set<string>();
  /** What is resolved only to see which events show it has not been compared. */
  let looking = false;
  const showing = new Map<string, Set<Audience>>();
  /** Of each kind, how many have been rendered: all of them have their turn. */
  const turns = new Map<string, number>();
  const now = new Date();
  let chatId: string;
  let holders: Map<string, Set<string>>;

  before(async () => {
    publisher = await Publisher.start();
    world = await World.start({ settings: { ...publisher.settings, NEWS: 'true', NEWS_BUILT_IN: 'false', LINK_PREVIEWS: 'true', PUBLIC_URL: 'https://app.example', NOTIFICATIONS: 'true', WEBHOOKS: 'true', BOTS: 'true' } });
    const [ann, bob, carol, dora, eve] = await world.people('Ann', 'Bob', 'Carol', 'Dora', 'Eve');
    chatId = await world.groupChat(ann, [bob, dora, eve]);
    await world.say(ann, chatId, 'the first');
    const scenarios = scenariosOf({ world, ann, bob, carol, chatId, publisher });
    for (const kind of INBOX_KINDS) await scenarios[kind]();
    await peculiarities(ann, bob, carol, dora, eve);
    await stillness();
    const { container } = world.app;
    const build = () => buildSchema({ get: (type) => container.resolvers.get(type) });
    schema = build();
    holders = holdersIn(schema);
    watched = watch(build(), (type, field) => {
      if (!looking) resolved.add(`${type}.${field}`);
      met.add(type);
    });
    engine = engineOf(schema, build());
    errors = new ErrorMapper(pino({ level: 'silent' }));
    await gather([ann, bob, carol, dora, eve]);
  });
  after(async () => {
    await world.stop();
    await publisher.stop();
  });

  const engineOf = (plain: GraphQLSchema, marked: GraphQLSchema) => new Engine(plain, { marked: withMarks(marked), rules: [], maxTokens: 100_000, suggest: true });

  /** What makes viewers see things differently, beyond what the scenarios do. */
  async function peculiarities(ann: Person, bob: Person, carol: Person, dora: Person, eve: Person): Promise<void> {
    const { id } = await world.say(bob, chatId, 'seen differently by each');
    await carol.api.blockUser({ input: { userId: bob.id } });
    await bob.api.updateProfile({ input: { presencePrivacy: 'EVERYONE' } });
    await dora.api.starMessage({ input: { messageId: id } });
    await eve.api.addReaction({ input: { messageId: id, emoji: '👍' } });
    await eve.api.deleteMessage({ input: { messageId: id, scope: 'FOR_ME' } });
    await ann.api.addContact({ input: { userId: bob.id, name: 'My Bob' } });
    await bob.api.editMessage({ input: { messageId: id, text: 'seen very differently by each' } });
    // A bot that answers with its sources.
    const { bot } = (await ann.api.createBot({ input: { handle: 'tilly', displayName: 'Tilly', engine: 'BUILT_IN', idempotencyKey: world.key() } })).createBot;
    await ann.api.addBotKnowledge({ input: { botId: bot.id, faq: [{ question: 'How hot is tea?', answer: 'Very hot.' }], idempotencyKey: world.key() } });
    await ann.api.addBotToChat({ input: { botId: bot.id, chatId } });
    await world.say(bob, chatId, '@tilly how hot is tea?');
    await eventually(async () => (await world.sql(`select from bot_replies where state = 'DONE'`)).length > 0, 'the bot has answered', 30_000);
    // It has a command, by which chats show it; teaches; hands over; is published, and somebody who has it thinks something of it.
    await ann.api.setBotCommands({ input: { botId: bot.id, commands: [{ name: 'tea', description: 'Ask about tea' }] } });
    await ann.api.setBotTutor({ input: { botId: bot.id, subject: 'Tea' } });
    await ann.api.setBotHandOver({ input: { botId: bot.id, chatId } });
    const { version } = (await ann.api.publishBot({ input: { botId: bot.id, category: 'SHOPPING', description: 'Tea.', languages: ['en'], idempotencyKey: world.key() } })).publishBot;
    const looker = await world.person('Looker');
    await world.sql(`update users set role = 'MODERATOR' where id = $1`, [decodeId('User', looker.id)]);
    const { signIn } = await world.client().api.signIn({ input: { email: 'looker@example.com', password: 'password of looker' } });
    await world.client(signIn.accessToken).api.reviewBotVersion({ input: { versionId: version.id, decision: 'APPROVE' } });
    const { chat: direct } = (await bob.api.installBot({ input: { botId: bot.id } })).installBot;
    await bob.api.rateBot({ input: { botId: bot.id, stars: 4, text: 'Hot.' } });
    // It speaks by itself; and they want a person, who will see what was said.
    await ann.api.setBotSchedule({ input: { botId: bot.id, chatId, every: 'DAY', at: '09:30', timeZone: 'Europe/Zurich', prompt: 'Which tea today?', idempotencyKey: world.key() } });
    await world.say(bob, direct.id, 'is it hot?');
    await bob.api.requestPerson({ input: { botId: bot.id, withTranscript: true, idempotencyKey: world.key() } });
    await ann.api.createInviteLink({ input: { chatId, maxUses: 3, idempotencyKey: world.key() } });
    // A group with a member, one who asks to join, and one who may not; its chat tells of all of them.
    const { group } = (await ann.api.createGroup({ input: { name: 'Tea', visibility: 'PUBLIC', joinPolicy: 'REQUEST', topics: ['tea'], idempotencyKey: world.key() } })).createGroup;
    for (const person of [bob, carol, dora, eve]) await person.api.joinGroup({ input: { groupId: group.id } });
    for (const person of [bob, dora, eve]) await ann.api.decideGroupRequest({ input: { groupId: group.id, userId: person.id, accept: true } });
    await ann.api.removeGroupMember({ input: { groupId: group.id, userId: dora.id, ban: true } });
    const general = group.chats!.edges[0]!.node.id;
    await ann.api.createInviteLink({ input: { chatId: general, idempotencyKey: world.key() } });
    await ann.api.updateChat({ input: { chatId: general, title: 'All about tea' } });
    // A call that goes on, in which somebody sends, and of which a part was recorded.
    const callId = await startCall(world, ann, chatId);
    const seat = await Seat.take(ann, callId);
    await seat.produce(await seat.transport('SEND'));
    await Seat.take(bob, callId);
    await ann.api.startRecording({ input: { callId } });
    await bob.api.consentToRecording({ input: { callId, consent: true } });
    await ann.api.stopRecording({ input: { callId } });
    await world.sql(`update users set role = 'MODERATOR' where id = $1`, [decodeId('User', eve.id)]);
  }

  /** Two executions are compared that are made one after the other: nothing moves by itself any more, neither by a job nor by who comes. */
  async function stillness(): Promise<void> {
    await world.app.jobs!.stop(world.config.DRAIN * 1000);
    await world.app.container.consumers.stop(world.config.DRAIN * 1000);
    const seated = async () => (await world.sql('select from presence')).length === SEATED;
    await eventually(seated, 'those with a seat, and they alone, are known to be there');
  }

  /** Every event that stands in a log, and one of each that does not, with those who may hear it. */
  async function gather(people: Person[]): Promise<void> {
    const { hub, db, receipts } = world.app.container;
    const viewers = new Map<string, Viewer>();
    for (const person of people) {
      const userId = decodeId('User', person.id);
      const [row] = await world.sql<{ role: Viewer['role'] }>('select role from users where id = $1', [userId]);
      viewers.set(userId, { userId, sessionId: decodeId('Session', person.sessionId), role: row!.role });
    }
    // Bots are told of what is pressed on their cards.
    for (const bot of await world.sql<Viewer>(`select id as "userId", session_id as "sessionId", 'USER' as role from bots`)) viewers.set(bot.userId, bot);
    const streams = await world.sql<{ id: string; epoch: string; head: string }>(`select id, epoch, head from streams where id like 'chat:%' or id like 'user:%' order by id`);
    for (const { id: stream, epoch, head } of streams) {
      const { kind, id } = parseStream(stream);
      const members = kind === 'chat' ? await world.sql<{ userId: string; visibleFrom: string }>('select user_id as "userId", visible_from_seq as "visibleFrom" from chat_members where chat_id = $1', [id]) : [{ userId: id, visibleFrom: '0' }];
      const hearers = members.flatMap(({ userId, visibleFrom }) => (viewers.has(userId) ? [{ viewer: viewers.get(userId)!, visibleFrom: Number(visibleFrom) }] : []));
      if (!hearers.length) continue;
      const add = (event: DeliveredEvent) => void (audiences.get(event.__typename) ?? audiences.set(event.__typename, []).get(event.__typename)!).push({ event, viewers: hearers });
      for (const logged of await hub.log.read(stream, 0, Number(head), 10_000)) {
        const context = new RequestContext(db, now, REQUEST, null);
        add(await hydrate(stream, epoch, logged, (def, key) => context.load(def, key)));
      }
      const unlogged = (typename: string, body: object) => add(new DeliveredEvent(typename, stream, epoch, Number(head), now, body));
      const told = (hint: Parameters<ReceiptFeed['accept']>[0]) =>
        new Promise<void>((resolve, reject) => {
          const outlet = { stream, heard: true, broadcast: (typename: string, body: object) => resolve(unlogged(typename, body)) };
          const feed = new ReceiptFeed(outlet, receipts, reject);
          feed.accept(hint);
          feed.close();
        });
      if (stream === chatStream(decodeId('Chat', chatId))) {
        await told({ moved: hearers.map(({ viewer }) => viewer.userId) });
        unlogged('ResyncRequired', { reason: 'EXPIRED' });
      }
      if (stream === userStream(decodeId('User', people[1]!.id))) {
        await told({ own: { chatId: decodeId('Chat', chatId), lastReadSeq: 2, lastDeliveredSeq: 3 } });
        unlogged('InboxCheckpoint', { cursors: [] });
      }
    }
  }

  function prepare(on: Engine, query: string): Prepared {
    const prepared = on.prepare({ query });
    if (Array.isArray(prepared)) assert.fail(`${JSON.stringify(prepared)}\n${query}`);
    return prepared as Prepared;
  }

  /** What opening subscriptions makes of a document, for each viewer. */
  function groupsOf(prepared: Prepared, variables: Record<string, unknown>, viewers: Viewer[], cursors: object[] = []): { subscriptions: Subscriptions; groups: Promise<RenderGroup[]> } {
    const groups: RenderGroup[] = [];
    const source: Source = { open: async ({ group }) => (groups.push(group), () => undefined) };
    const subscriptions = new Subscriptions({ chatEvents: source, inboxEvents: source }, world.app.container.db, { now: () => now }, errors);
    const sink = { next: () => undefined, error: (failed: unknown) => assert.fail(JSON.stringify(failed)), complete: () => undefined, drained: () => null, closed: false };
    const opened = viewers.map((viewer, index) => subscriptions.open({ viewer, guest: null }, REQUEST, prepared, { ...variables, ...cursors[index] }, {}, sink));
    return { subscriptions, groups: Promise.all(opened).then(() => groups) };
  }

  /** The viewer's own execution, by graphql-js alone. */
  async function alone(document: DocumentNode, rootField: string, event: DeliveredEvent, viewer: Viewer, variables: Record<string, unknown>): Promise<string> {
    const context = new RequestContext(world.app.container.db, now, REQUEST, viewer);
    const result = await execute({ schema: watched, document, rootValue: { [rootField]: event }, contextValue: context, variableValues: variables });
    return JSON.stringify(result.errors?.length ? { data: result.data, errors: result.errors.map((error) => errors.map(error)) } : { data: result.data });
  }

  /** Fields that the document selects, of object types. */
  function selected(document: DocumentNode): Set<string> {
    const types = new TypeInfo(schema);
    const found = new Set<string>();
    visit(document, visitWithTypeInfo(types, { Field: () => void (isObjectType(types.getParentType()) && found.add(`${types.getParentType()!.name}.${types.getFieldDef()?.name}`)) }));
    return found;
  }

  /** Compares, for some events that the document shows, what each viewer gets with what they would get alone. */
  async function check({ query, variables }: GeneratedDocument, left: ReadonlySet<string>, each: number): Promise<void> {
    const prepared = prepare(engine, query);
    assert.equal(prepare(engine, stripIgnoredCharacters(query)).text, prepared.text, 'white space makes no difference');
    const { coerced } = prepared.coerce({ chatId, ...variables });
    for (const audience of some(prepared, left, each)) {
      const { event, viewers } = audience;
      const turn = turns.get(event.__typename)!;
      const inTurn = viewers.map((_, place) => viewers[(place + turn) % viewers.length]!);
      const groups = await groupsOf(prepared, coerced!, inTurn.map(({ viewer }) => viewer)).groups;
      const renderable = new RenderableEvent(event);
      const shared = await Promise.all(inTurn.map(async ({ visibleFrom }, place) => renderable.for(groups[place]!, visibleFrom)));
      met.clear();
      const owns = await Promise.all(inTurn.map(({ viewer }) => alone(prepared.document, prepared.rootField!, event, viewer, coerced!)));
      for (const [place, own] of owns.entries()) {
        assert.doesNotMatch(own, /"code":"INTERNAL"/, `${event.__typename}: the execution for one viewer fails`);
        assert.equal(shared[place]!.toString(), own, `${event.__typename} ${event.pos} of ${event.stream} for viewer ${place} of ${inTurn.length}`);
      }
      noteShown(audience);
    }
  }

  /** Looks, without comparing, which events show what is wanted: of many events of a kind only few may. */
  async function look(root: RootField, left: ReadonlySet<string>, round: number): Promise<void> {
    looking = true;
    for (const { query, variables } of fc.sample(documents(schema, root, left), { seed: SEED + round, numRuns: DOCUMENTS_LOOKED_BY })) {
      const prepared = prepare(engine, query);
      const { coerced } = prepared.coerce({ chatId, ...variables });
      for (const audience of [...kindsIn(prepared)].flatMap((kind) => audiences.get(kind)!)) {
        met.clear();
        await Promise.all(audience.viewers.map(({ viewer }) => alone(prepared.document, prepared.rootField!, audience.event, viewer, coerced!)));
        noteShown(audience);
      }
    }
    looking = false;
  }

  function noteShown(audience: Audience): void {
    for (const type of met) (showing.get(type) ?? showing.set(type, new Set()).get(type)!).add(audience);
  }

  for (const root of ['chatEvents', 'inboxEvents'] satisfies RootField[]) {
    it(`${root}: for every field of every event`, async () => {
      const union = schema.getType(root === 'chatEvents' ? 'ChatEvent' : 'InboxEvent');
      assert.ok(isUnionType(union));
      const missing = union.getTypes().map(({ name }) => name).filter((name) => !audiences.has(name));
      assert.deepEqual(missing, [], `No event of these types is made: add a scenario to test/testkit/scenarios.ts, or to gather() here for what is in no log.`);
      const there = fieldsReachedFrom(schema, [union.name]);
      const asked = new Set<string>();
      resolved.clear();
      const wanted = () => new Set([...there].filter((field) => !asked.has(field) || (!resolved.has(field) && !NOT_WRITTEN_YET.includes(field.split('.')[0]!))));
      const end = cpuMs() + PATIENCE_MS;
      let round = 0;
      for (let left = wanted(); (left.size || round < LEAST_ROUNDS) && cpuMs() < end; round++, left = wanted()) {
        const more = round >= LEAST_ROUNDS;
        if (more && round % LOOK_EVERY === 0) await look(root, left, round);
        const property = fc.asyncProperty(documents(schema, root, left), async (document) => {
          await check(document, left, more ? 1 : EVENTS_EACH);
          for (const field of selected(parse(document.query))) asked.add(field);
        });
        await fc.assert(property, { seed: SEED + round, numRuns: DOCUMENTS_A_ROUND, interruptAfterTimeLimit: SHRINKING_MS });
      }
      const all = [...there];
      console.log(`      ${root}: ${all.filter((field) => asked.has(field)).length} of ${all.length} fields selected, ${all.filter((field) => resolved.has(field)).length} shown, by ${round * DOCUMENTS_A_ROUND} documents, SEED=${SEED}`);
      assert.deepEqual(all.filter((field) => !asked.has(field)), [], 'not selected by any document');
      assert.deepEqual(all.filter((field) => !resolved.has(field) && !NOT_WRITTEN_YET.includes(field.split('.')[0]!)), [], 'no event of the scenarios shows these: let one do so');
      assert.deepEqual(NOT_WRITTEN_YET.filter((name) => all.some((field) => field.startsWith(`${name}.`) && resolved.has(field))), [], 'shown by now: take them out of NOT_WRITTEN_YET');
    });
  }

  it('documents that differ by white space, and cursors, make no groups of their own', async () => {
    const viewers = audiences.get('MessageSent')!.find(({ viewers: all }) => all.length > 2)!.viewers.map(({ viewer }) => viewer);
    const count = async (query: string, variables: object, cursors: object[] = []) => {
      const { subscriptions, groups } = groupsOf(prepare(engine, query), { ...variables }, viewers, cursors);
      return { subscriptions, groups: await groups };
    };
    const plain = 'subscription ($chatId: ID!, $after: EventCursor) { chatEvents(chatId: $chatId, after: $after) { __typename ... on MessageSent { message { text } } } }';
    const first = await count(plain, { chatId }, viewers.map((_, place) => ({ after: `cursor ${place}` })));
    assert.equal(first.subscriptions.groups, 1);
    assert.equal(new Set(first.groups).size, 1);
    const spread = print(parse(plain)).replaceAll('{', '{ # a comment\n\n');
    assert.equal((await count(spread, { chatId })).groups[0]!.key, first.groups[0]!.key);
    assert.notEqual((await count(plain, { chatId: 'another' })).groups[0]!.key, first.groups[0]!.key);
    const personal = await count(plain.replace('text', 'viewerState { starred }'), { chatId });
    assert.equal(personal.subscriptions.groups, viewers.length);
    assert.equal(new Set(personal.groups.map(({ half }) => half!.key)).size, 1, 'yet they share a half');
  });

  it('has no viewer: a field whose mark was forgotten is an error, never a leak', async () => {
    const { container } = world.app;
    const build = () => buildSchema({ get: (type) => container.resolvers.get(type) });
    // What stands behind a marked field alone is not come to without its mark either.
    const marked = [...fieldsReachedFrom(schema, ['ChatEvent'], (field) => !isMarked(schema, field))].filter((field) => isMarked(schema, field));
    assert.ok(marked.length > 10);
    const careless = engineOf(forget(build()), forget(build()));
    const refused = new Set<string>();
    const end = cpuMs() + PATIENCE_MS;
    for (let round = 0; refused.size < marked.length && cpuMs() < end; round++) {
      const left = new Set(marked.filter((field) => !refused.has(field)));
      for (const { query, variables } of fc.sample(documents(schema, 'chatEvents', left), { seed: SEED + round, numRuns: 4 })) {
        const prepared = prepare(careless, query);
        assert.equal(prepared.viewerDependent, false);
        const { coerced } = prepared.coerce({ chatId, ...variables });
        for (const { event, viewers } of some(prepared, left)) {
          const groups = await groupsOf(prepared, coerced!, viewers.map(({ viewer }) => viewer)).groups;
          const renderable = new RenderableEvent(event);
          for (const [place, { viewer, visibleFrom }] of viewers.entries()) {
            const bytes = (await renderable.for(groups[place]!, visibleFrom)).toString();
            const { errors: met = [] } = JSON.parse(bytes) as { errors?: { path: (string | number)[]; extensions: { code: string } }[] };
            if (!met.some(({ extensions }) => extensions.code === 'INTERNAL')) assert.equal(bytes, await alone(prepared.document, prepared.rootField!, event, viewer, coerced!), 'a leak');
            for (const { path, extensions } of met) if (extensions.code === 'INTERNAL') for (const field of left) if (isAt(path, field)) refused.add(field);
          }
        }
      }
    }
    assert.deepEqual(marked.filter((field) => !refused.has(field)), [], 'fields that are marked, and were shown without a viewer');
  });

  /** The type itself, when some event is known to show it; else one that it hangs on. */
  function nearestShown(type: string): string {
    const looked = new Set([type]);
    for (const name of looked) {
      if (showing.has(name)) return name;
      for (const holder of holders.get(name) ?? []) looked.add(holder);
    }
    return type;
  }

  const kindsIn = (prepared: Prepared): Set<string> => new Set([...selected(prepared.document)].map(typeOf).filter((name) => audiences.has(name)));

  /** Events of the kinds that a document shows, each in its turn; and such as are known to show what is wanted. */
  function some(prepared: Prepared, wanted: ReadonlySet<string>, each = EVENTS_EACH): Set<Audience> {
    const kinds = kindsIn(prepared);
    const chosen = new Set<Audience>();
    for (const kind of kinds) {
      const all = audiences.get(kind)!;
      for (let more = Math.min(each, all.length); more > 0; more--) {
        const turn = turns.get(kind) ?? 0;
        turns.set(kind, turn + 1);
        chosen.add(all[turn % all.length]!);
      }
    }
    for (const type of new Set([...wanted].map((field) => nearestShown(typeOf(field))))) {
      const known = [...(showing.get(type) ?? [])].filter(({ event }) => kinds.has(event.__typename));
      if (known.length) chosen.add(known[turns.get(known[0]!.event.__typename)! % known.length]!);
    }
    return chosen;
  }
});

const typeOf = (field: string): string => field.slice(0, field.indexOf('.'));
const isMarked = (schema: GraphQLSchema, field: string): boolean => {
  const [type, name] = field.split('.') as [string, string];
  return (schema.getType(type) as GraphQLObjectType).getFields()[name]!.extensions[VIEWER_DEPENDENT] === true;
};
/** Whether an error's path ends at a field of this name; aliases end with `_`. */
const isAt = (path: readonly (string | number)[], field: string): boolean => String(path.at(-1)).replace(/_+$/, '') === field.split('.')[1];

/** The schema as it would be if nobody had marked anything. */
function forget(schema: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) if (isObjectType(type)) for (const field of Object.values(type.getFields())) field.extensions = {};
  return schema;
}

/** Hears of every field that is resolved. */
function watch(schema: GraphQLSchema, heard: (type: string, field: string) => void): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      const resolve = field.resolve ?? defaultFieldResolver;
      field.resolve = (parent: unknown, args, context: unknown, info) => {
        heard(type.name, field.name);
        return resolve(parent, args, context, info);
      };
    }
  }
  return schema;
}
