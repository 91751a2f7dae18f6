import assert from 'node:assert/strict';
import { OmniTalkError } from '../../sdk/index.js';
import { CallTraffic } from './call-traffic.js';
import { booksBalance, checkOut, fillCart } from './commerce.js';
import { assertLossless, Witness, Writer } from './lossless.js';
import type { Member, Stage } from './stage.js';
import { eventually } from './world.js';

/** What passes: the caller tries again. */
const PASSING = new Set(['NETWORK', 'UNAVAILABLE', 'OVERLOADED', 'UNKNOWN']);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const codeOf = (error: unknown): string => (error instanceof OmniTalkError ? error.code : 'NETWORK');

/** Longer than anything is broken. */
const ATTEMPTS = 1_500;

async function untilAnswered<Result>(ask: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (!PASSING.has(codeOf(error)) || attempt === ATTEMPTS) throw error;
      await pause(100);
    }
  }
}

export interface Checked {
  /** Messages that were acknowledged. */
  acknowledged: number;
  /** Of which nobody knows whether they were written. */
  doubtful: number;
  /** Events that devices have seen. */
  seen: number;
  orders: number;
  /** How often the guest came and went. */
  visits: number;
  /** How often the stranger asked, and was told that there is nothing. */
  refusals: number;
  /** How often somebody came into the call. */
  callers: number;
  /** How often the seats of those who stay in it had to be taken anew. */
  returns: number;
}

/**
 * Traffic of every kind over a stage, and a witness on each device. `check` walks the history once everything is well again: what was acknowledged
 * is there once and in order for every member on every device and in the pages of either node, nobody saw what they may not, and the books balance.
 */
export class History {
  readonly #witnesses: Witness[] = [];
  readonly #writers: Writer[] = [];
  readonly #others: Promise<void>[] = [];
  #calls!: CallTraffic;
  #guest!: Witness;
  /** Of the chat alone, begun at each visit. */
  readonly #guestVisits: Witness[] = [];
  #stranger!: Witness;
  #from = 0;
  #stopped = false;
  #orders = 0;
  #visits = 0;
  #refusals = 0;

  private constructor(private readonly stage: Stage) {}

  static async begin(stage: Stage): Promise<History> {
    const history = new History(stage);
    await history.#begin();
    return history;
  }

  async #begin(): Promise<void> {
    const { stage } = this;
    const [ann, bob, carol] = stage.members as [Member, Member, Member];
    this.#from = await stage.head();
    for (const member of stage.members) {
      for (const [index, device] of member.devices.entries()) {
        const at = (await device.client.api.chat({ id: stage.chatId })).chat!.eventCursor;
        const own = (await device.client.api.viewer()).viewer!.eventCursor;
        // One device follows the chat alone, the other everything.
        this.#witnesses.push(index ? Witness.ofInbox(device, [own, at]) : Witness.ofChat(device, stage.chatId, at));
      }
    }
    this.#from = await stage.head();
    this.#guest = Witness.ofInbox(stage.guest, [(await stage.guest.client.api.viewer()).viewer!.eventCursor]);
    this.#stranger = Witness.ofInbox(stage.stranger, [(await stage.stranger.client.api.viewer()).viewer!.eventCursor]);
    const stamp = `${this.#from} ${Date.now()}`;
    for (const [name, device] of [['ann', ann.devices[0]], ['ann 2', ann.devices[1]], ['bob', bob.devices[0]]] as const) this.#writers.push(new Writer(device, stage.chatId, `${name} ${stamp}`, 15).start());
    const going = (step: () => Promise<void>, everyMs: number) => this.#others.push(this.#keepGoing(step, everyMs));
    going(() => this.#visit(), 250);
    going(() => this.#snoop(), 200);
    going(() => this.#buy(carol), 150);
    this.#calls = CallTraffic.begin(stage);
    going(() => this.#calls.visit(), 100);
    for (const other of this.#others) other.catch(() => undefined); // met by "check"
  }

  /** Ends the traffic, and looks at all of it. */
  async check(patience = 40_000): Promise<Checked> {
    const { stage } = this;
    try {
      const doers = { buyer: () => this.#orders, guest: () => Math.min(this.#visits, this.#guest.of(stage.chatId).length, this.#guestVisits.length), stranger: () => this.#refusals, caller: () => this.#calls.visits };
      for (const [who, done] of Object.entries(doers)) await eventually(() => done() > 0, `the ${who} has done something`, patience);
      await this.#quiet();
      await this.#calls.check(patience);
      await assertLossless(stage.chatId, this.#from, () => stage.head(), this.#witnesses, this.#writers, patience);
      await this.#assertPages();
      await this.#assertPrivate();
      await booksBalance(stage);
    } finally {
      await this.#end();
    }
    const acknowledged = this.#writers.reduce((sum, writer) => sum + writer.acknowledged.length, 0);
    assert.ok(this.#writers.every((writer) => writer.acknowledged.length > 0), 'somebody wrote nothing');
    return {
      acknowledged,
      doubtful: this.#writers.reduce((sum, writer) => sum + writer.doubtful.length, 0),
      seen: this.#witnesses.reduce((sum, witness) => sum + witness.events.length, 0),
      orders: this.#orders,
      visits: this.#visits,
      refusals: this.#refusals,
      callers: this.#calls.visits,
      returns: this.#calls.returns,
    };
  }

  /** Lets go of everything, whatever came of it. */
  async abandon(): Promise<void> {
    await this.#quiet().catch(() => undefined);
    await this.#end();
  }

  async #quiet(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#writers.map((writer) => writer.stop()), ...this.#others]);
  }

  async #end(): Promise<void> {
    await this.#calls.end();
    for (const witness of [...this.#witnesses, ...this.#guestVisits, this.#guest, this.#stranger]) witness.close();
  }

  async #keepGoing(step: () => Promise<void>, everyMs: number): Promise<void> {
    while (!this.#stopped) {
      try {
        await step();
      } catch (error) {
        if (error instanceof assert.AssertionError || !PASSING.has(codeOf(error))) throw error;
      }
      await pause(everyMs);
    }
  }

  /** The guest is asked in and sent away again. A repeat of what has happened already is refused, and says no more than that. */
  async #visit(): Promise<void> {
    const { api } = this.stage.members[0]!.devices[0].client;
    const { chatId, guest } = this.stage;
    await api.addChatMembers({ input: { chatId, memberIds: [guest.id] } });
    const seen = (await guest.client.api.chat({ id: chatId })).chat;
    if (seen) this.#guestVisits.push(Witness.ofChat(guest, chatId, seen.eventCursor));
    await pause(150);
    await api.removeChatMember({ input: { chatId, userId: guest.id } }).catch((error: unknown) => {
      if (codeOf(error) !== 'NOT_FOUND') throw error;
    });
    this.#visits++;
  }

  async #snoop(): Promise<void> {
    const { client } = this.stage.stranger;
    const { chat } = await client.api.chatMessages({ id: this.stage.chatId, last: 5 });
    assert.equal(chat, null, 'a stranger was shown the chat');
    const events = client.chatEvents(this.stage.chatId);
    try {
      const { value } = await events.next();
      assert.fail(`a stranger was told of the chat: ${JSON.stringify(value)}`);
    } catch (error) {
      if (codeOf(error) !== 'NOT_FOUND') throw error;
    } finally {
      events.close();
    }
    this.#refusals++;
  }

  /** What isn't answered is asked again under its key: nobody is left with a cart that they know nothing of. */
  async #buy(member: Member): Promise<void> {
    const { stage } = this;
    const buyer = member.devices[1].client;
    const stem = stage.key();
    const keys = (): { key: () => string } => {
      let n = 0;
      return { key: () => `${stem}-${++n}` };
    };
    const cartId = await untilAnswered(() => fillCart(keys(), buyer, stage.shop, [[stage.goods, 1]]));
    const result = await untilAnswered(() => checkOut(stage, buyer, cartId, { method: 'sandbox_ok', idempotencyKey: `${stem}-order` }));
    if ('order' in result) this.#orders++;
  }

  /** A fresh read, by either node, shows what was acknowledged, once and in order. */
  async #assertPages(): Promise<void> {
    for (const device of this.stage.members[1]!.devices) {
      const found: { seq: number; text: string | null }[] = [];
      const wanted = new Map(this.#writers.flatMap((writer) => writer.acknowledged).map(({ text, seq }) => [text, seq]));
      const first = Math.min(...wanted.values());
      for (let before: string | undefined; ; ) {
        const { messages } = (await device.client.api.chatMessages({ id: this.stage.chatId, last: 100, ...(before ? { before } : {}) })).chat!;
        found.unshift(...messages.edges.map(({ node }) => ({ seq: node.seq, text: node.text ?? null })));
        if (!messages.pageInfo.hasPreviousPage || found[0]!.seq <= first) break;
        before = messages.pageInfo.startCursor!;
      }
      const seqs = found.map(({ seq }) => seq);
      assert.deepEqual(seqs, seqs.map((_, index) => seqs[0]! + index), 'numbers without a gap');
      const shown = found.filter(({ text }) => text !== null && wanted.has(text));
      assert.equal(shown.length, wanted.size, 'each acknowledged message stands once in the pages');
      for (const { text, seq } of shown) assert.equal(seq, wanted.get(text!));
    }
  }

  /** The guest saw nothing from before they came or after they went, and the stranger nothing at all. */
  async #assertPrivate(): Promise<void> {
    const { stage } = this;
    for (const [who, { ended }] of [['guest', this.#guest], ['stranger', this.#stranger]] as const) assert.equal(ended, undefined, `the ${who} heard no more: ${String(ended)}`);
    assert.deepEqual(this.#stranger.of(stage.chatId), [], 'a stranger was told of the chat');
    const uuid = (id: string) => id.slice(4).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    const moves = await stage.sql<{ pos: string; kind: string }>(
      `select pos, kind from events where stream = $1 and pos > $2 and kind in ('member.joined', 'member.left') and ref->>'userId' = $3 order by pos`,
      [`chat:${uuid(stage.chatId)}`, this.#from, uuid(stage.guest.id)],
    );
    const inside = (offset: number): boolean => {
      const last = moves.findLast((move) => Number(move.pos) <= offset);
      return last !== undefined && (last.kind === 'member.joined' || Number(last.pos) === offset);
    };
    const offsets = this.#guest.of(stage.chatId).map((event) => event.offset);
    assert.deepEqual(offsets.filter((offset) => !inside(offset)), [], 'the guest was told of what was before or after their visits');
    assert.deepEqual(offsets, [...new Set(offsets)].sort((a, b) => a - b), 'and of nothing twice');
    await eventually(() => this.#guestVisits.every(({ ended }) => ended !== undefined), 'what a guest follows ends when they go');
    assert.deepEqual(this.#guestVisits.flatMap((visit) => visit.of(stage.chatId)).filter(({ offset }) => !inside(offset)), [], 'a guest who followed the chat was told of what was before or after their visits');
  }
}
