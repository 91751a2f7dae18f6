import assert from 'node:assert/strict';
import { chatStream } from '../../src/events/catalogue.js';
import { decodeId } from '../../src/lib/ids.js';
import { botReplyTopic, type BotReplyNews } from '../../src/services/bots/live-reply.js';
import { typingTopic, type TypingNews } from '../../src/services/typing.js';
import { assertLossless, lasting, Witness, Writer } from '../testkit/lossless.js';
import { Ether } from '../testkit/unruly-bus.js';
import { eventually, fails, within, World, type Person } from '../testkit/world.js';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('faults of the bus: hints may be lost, late, twice and out of order', function () {
  this.timeout(lasting(30_000, 300_000));
  let world: World;
  let ether: Ether;
  let ann: Person;
  let bob: Person;
  let carol: Person;
  let chatId: string;
  before(async () => {
    ether = new Ether();
    world = await World.start({ nodes: 2, bus: () => ether.node() });
    ann = await world.person('Ann', 0);
    bob = await world.person('Bob', 1);
    carol = await world.person('Carol', 1);
    chatId = await world.groupChat(ann, [bob, carol]);
  });
  after(() => world.stop());
  beforeEach(() => (ether.fate = () => [0]));

  const stream = () => chatStream(decodeId('Chat', chatId));
  const head = async () => Number((await world.sql<{ head: string }>('select head from streams where id = $1', [stream()]))[0]!.head);
  const cursor = async () => (await ann.api.chat({ id: chatId })).chat!.eventCursor;

  async function under(fate: Ether['fate'], during: () => Promise<void> = async () => undefined): Promise<void> {
    const [at, from] = [await cursor(), await head()];
    const own = (await carol.api.viewer()).viewer!.eventCursor;
    const witnesses = [Witness.ofChat(ann, chatId, at), Witness.ofChat(bob, chatId, at), Witness.ofInbox(carol, [own, at])];
    ether.fate = fate;
    const stamp = `${Date.now()}`;
    const writers = [new Writer(ann, chatId, `ann ${stamp}`, 3).start(), new Writer(bob, chatId, `bob ${stamp}`, 3).start()];
    await during();
    await pause(lasting(700, 15_000));
    await Promise.all(writers.map((writer) => writer.stop()));
    await assertLossless(chatId, from, head, witnesses, writers);
    for (const witness of witnesses) witness.close();
    assert.deepEqual(writers.flatMap((writer) => [...writer.failures]), []);
  }

  it('out of order and duplicated', () => under(() => [...Array(1 + Math.floor(Math.random() * 3))].map(() => Math.random() * 60)));

  it('half of them lost', () => under(() => (Math.random() < 0.5 ? [] : [Math.random() * 10])));

  it('none published: what commits reaches everybody by comparing with the database', () => under(() => []));

  it('a last event whose publish never happened arrives within a comparison, as from a process that died after its commit', async () => {
    const witness = Witness.ofChat(bob, chatId, await cursor());
    await world.say(ann, chatId, 'so that it stands');
    await eventually(() => witness.events.length === 1, 'the subscription stands');
    const committed = await head();
    await world.sql(
      `with s as (update streams set head = head + 1 where id = $1 returning head)
       insert into events (stream, pos, kind, ref) select $1, head, 'chat.updated', '{}' from s`,
      [stream()],
    );
    await eventually(() => witness.events.length === 2, 'the event has been found');
    assert.deepEqual(witness.of(chatId).map((event) => event.offset), [committed, committed + 1]);
    witness.close();
  });

  it('who is removed unheard is cut off all the same from what is in no log: typing, and what bots write', async () => {
    const elsewhere = await world.groupChat(ann, [bob]);
    const { seq, id } = await world.say(ann, elsewhere, 'what is new?');
    const [chat, author, bus] = [decodeId('Chat', elsewhere), decodeId('User', ann.id), ether.node()];
    const tell = () => {
      bus.publish(typingTopic(chat), { userId: author, typing: true, expiresAt: Date.now() + 60_000 } satisfies TypingNews);
      bus.publish(botReplyTopic({ chatId: chat, seq }), { botId: author, state: 'WRITING', text: 'news', answerSeq: null } satisfies BotReplyNews);
    };
    const watching = [bob.client.typingEvents(elsewhere), bob.client.botReply(id)];
    // They stand once they have told of something.
    let told = 0;
    for (const stream of watching) void stream.next().then(() => told++);
    await eventually(() => {
      tell();
      return told === watching.length;
    }, 'both subscriptions stand');
    ether.fate = (topic) => (topic === chatStream(chat) ? [] : [0]);
    await ann.api.removeChatMember({ input: { chatId: elsewhere, userId: bob.id } });
    for (const stream of watching) {
      const ended = async () => {
        for (;;) if ((await stream.next()).done) return;
      };
      await fails(within(ended(), 'the end'), 'ACCESS_REVOKED');
    }
    await bus.close();
  });

  it('two people write while a third resumes again and again, over both nodes', async () => {
    const [at, from] = [await cursor(), await head()];
    ether.fate = () => [Math.random() * 40];
    const writers = [new Writer(ann, chatId, `ann r ${from}`, 2).start(), new Writer(bob, chatId, `bob r ${from}`, 2).start()];
    const seen: Witness[] = [];
    let next = at;
    const end = Date.now() + lasting(2_000, 20_000);
    for (let turn = 0; Date.now() < end; turn++) {
      const client = world.client(carol.accessToken, turn % 2);
      const witness = Witness.ofChat({ id: carol.id, client }, chatId, next);
      await pause(Math.random() * 150);
      await client.close();
      witness.close();
      next = witness.events.at(-1)?.cursor ?? next;
      seen.push(witness);
    }
    await Promise.all(writers.map((writer) => writer.stop()));
    ether.fate = () => [0];
    const last = Witness.ofChat(carol, chatId, next);
    seen.push(last);
    const committed = await head();
    await eventually(() => (seen.flatMap((witness) => witness.of(chatId)).at(-1)?.offset ?? 0) >= committed, 'all has been seen');
    last.close();
    assert.deepEqual(seen.flatMap((witness) => witness.of(chatId).map((event) => event.offset)), [...Array(committed - from)].map((_, step) => from + step + 1));
    assert.ok(seen.filter((witness) => witness.events.length > 0).length > 1, 'it resumed with something to resume');
  });
});
