import { measured, type Cost, type Ground } from '../lib/ground.js';
import { Tally } from '../lib/tally.js';
import type { Row } from '../lib/report.js';
import type { FanoutTarget, Member } from '../targets/target.js';

export interface FanoutShape {
  rooms: number;
  size: number;
  /** How many members of each room send, in turn. */
  senders: number;
  /** Messages before anything is measured. */
  warmUp: number;
  /** Messages of one measured round, and how many of them are on their way at once. */
  messages: number;
  inFlight: number;
  rounds: number;
  /** Of the paced part: how many, and how many a second. */
  paced: number;
  rate: number;
}

export const ROOM: FanoutShape = { rooms: 1, size: 500, senders: 1, warmUp: 200, messages: 400, inFlight: 16, rounds: 3, paced: 200, rate: 20 };
export const PAIRS: FanoutShape = { rooms: 500, size: 2, senders: 1, warmUp: 1_500, messages: 4_000, inFlight: 64, rounds: 3, paced: 1_000, rate: 200 };

const DELIVERED_WITHIN_MS = 60_000;

/** Everybody connected, and messages that can be sent to the rooms in turn. */
export class Fanout {
  readonly tally: Tally;
  readonly #members: Member[][];
  #turn = 0;

  private constructor(members: Member[][], tally: Tally, private readonly shape: FanoutShape) {
    this.#members = members;
    this.tally = tally;
  }

  static async connect(target: FanoutTarget, shape: FanoutShape): Promise<Fanout> {
    const tally = new Tally(shape.warmUp + shape.messages * shape.rounds + shape.paced);
    return new Fanout(await target.connect(shape.rooms, shape.size, () => tally.receiver()), tally, shape);
  }

  /** Sends so many messages with never more than so many on their way; resolves when all have reached everybody. */
  async flow(messages: number, inFlight: number): Promise<void> {
    let sent = 0;
    let done = 0;
    await this.#complete((finish) => {
      this.tally.onDone = () => {
        if (++done === messages) finish();
        else if (sent < messages) {
          sent++;
          this.#send();
        }
      };
      while (sent < Math.min(messages, inFlight)) {
        sent++;
        this.#send();
      }
    });
  }

  /** Sends by the clock, whatever has arrived. */
  async pace(messages: number, perSecond: number): Promise<void> {
    let done = 0;
    await this.#complete((finish) => {
      this.tally.onDone = () => {
        if (++done === messages) finish();
      };
      const began = performance.now();
      let sent = 0;
      const timer = setInterval(() => {
        for (const due = Math.min(messages, ((performance.now() - began) * perSecond) / 1000); sent < due; sent++) this.#send();
        if (sent >= messages) clearInterval(timer);
      }, 2);
    });
  }

  close(): void {
    for (const member of this.#members.flat()) member.close();
  }

  #send(): void {
    const { rooms, senders } = this.shape;
    const turn = this.#turn++;
    this.#members[turn % rooms]![Math.floor(turn / rooms) % senders]!.send(this.tally.message(this.shape.size));
  }

  async #complete(begin: (finish: () => void) => void): Promise<void> {
    const before = this.tally.deliveries;
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        timer = setTimeout(() => reject(this.#fault() ?? new Error(`not everything arrived: ${this.tally.deliveries - before} deliveries`)), DELIVERED_WITHIN_MS);
        begin(resolve);
      });
    } finally {
      clearTimeout(timer);
    }
    const fault = this.#fault();
    if (fault) throw fault;
  }

  #fault(): Error | null {
    return this.tally.fault ?? this.#members.flat().find((member) => member.fault)?.fault ?? null;
  }
}

/** Rounds at full flow (the median counts), then the same paced. */
export async function runFanout(ground: Ground, target: FanoutTarget, shape: FanoutShape, profile?: string): Promise<Row> {
  const fanout = await Fanout.connect(target, shape);
  try {
    await fanout.flow(shape.warmUp, shape.inFlight);
    if (profile) await target.server.startProfile();
    const rounds: { cost: Cost; p50: number; p99: number }[] = [];
    for (let round = 0; round < shape.rounds; round++) {
      fanout.tally.takeLatencies();
      const cost = await measured(ground, target.server, () => fanout.flow(shape.messages, shape.inFlight));
      rounds.push({ cost, ...fanout.tally.takeLatencies() });
    }
    if (profile) await target.server.endProfile(profile);
    if (profile) await target.server.startProfile();
    const paced = await measured(ground, target.server, () => fanout.pace(shape.paced, shape.rate));
    if (profile) await target.server.endProfile(profile.replace(/(?=\.cpuprofile$)/, '-paced'));
    const pacedLatency = fanout.tally.takeLatencies();
    const { cost, p50, p99 } = rounds.sort((a, b) => a.cost.server - b.cost.server)[Math.floor(rounds.length / 2)]!;
    const deliveries = shape.messages * shape.size;
    return {
      'deliveries/s': deliveries / cost.seconds,
      'messages/s': shape.messages / cost.seconds,
      'server CPU s / 100k deliveries': (cost.server / deliveries) * 1e5,
      'server CPU ms / message': (cost.server / shape.messages) * 1e3,
      'database CPU ms / message': (cost.database / shape.messages) * 1e3,
      'p50 ms': p50,
      'p99 ms': p99,
      [`paced ${shape.rate}/s: CPU s / 100k`]: (paced.server / (shape.paced * shape.size)) * 1e5,
      'paced p50 ms': pacedLatency.p50,
      'paced p99 ms': pacedLatency.p99,
      'client CPU share': cost.client / cost.seconds,
      'resident MB': target.server.resident() / 1e6,
    };
  } finally {
    fanout.close();
  }
}
