import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { connectionsOf } from '../testkit/connections.js';
import { History, type Checked } from '../testkit/history.js';
import { Inspector, type Holdings } from '../testkit/inspector.js';
import { lasting, LONG, Witness } from '../testkit/lossless.js';
import { POOL, Stage } from '../testkit/stage.js';
import { eventually } from '../testkit/world.js';
import { figure, pause, random, type Experiment } from './experiment.js';
import { EXPERIMENTS, QUICK } from './experiments.js';

/** `npm run soak`: experiments by chance, one after the other, for so long. */
const SOAK_MINUTES = Number(process.env['SOAK_MINUTES'] || 0);
/** A soak goes on after a failure, as it is looking for all there are; not for ever. */
const MOST_FAILURES = 5;
const CYCLES = 3;
/** Clients that come and go in a cycle. */
const CLIENTS = lasting(30, 60);
/** Timers of idle connections come and go by themselves; one left by each client of a cycle would be more. */
const TIMER_SLACK = 16;
/** Beside the pool: of jobs, of the detour around Redis, and one that has just been made anew. */
const MORE_TO_POSTGRES = 6;
/** To publish, to hear, for limits, and as many that are being made anew. */
const TO_REDIS = 6;
/** What garbage collection and compiled code may differ by from one cycle to the next. */
const HEAP_SLACK = 2 * 2 ** 20;

/** What can be broken is, under load, and after each the whole history is walked. */
describe('experiments: whatever breaks, nothing acknowledged is lost, nothing comes twice, and nobody sees what they may not', function () {
  this.timeout(lasting(180_000, 600_000));
  let stage: Stage;
  const done: { name: string; checked: Checked }[] = [];
  before(async () => {
    stage = await Stage.start();
  });
  after(async () => {
    if (!stage) return;
    const [size] = await stage.sql<{ bytes: number }>(
      `select ((pg_total_relation_size('messages') + pg_total_relation_size('streams') + (select sum(pg_total_relation_size(relid)) from pg_partition_tree('events'))) / greatest(1, (select count(*) from messages)))::int as bytes`,
    );
    const sum = (of: (checked: Checked) => number) => done.reduce((total, { checked }) => total + of(checked), 0);
    const times = new Map<string, number>();
    for (const { name } of done) times.set(name, (times.get(name) ?? 0) + 1);
    for (const [name, count] of times) console.log(`      ${String(count).padStart(3)} × ${name}`);
    console.log(
      `      ${done.length} faults; ${sum((one) => one.acknowledged)} messages acknowledged and found once on each of 6 devices and in the pages of both nodes; ${sum((one) => one.seen)} events seen; ` +
        `${sum((one) => one.doubtful)} sends given up on; ${sum((one) => one.orders)} orders; ${sum((one) => one.visits)} visits of a guest; ${sum((one) => one.refusals)} attempts of a stranger; ${sum((one) => one.callers)} visits to the call, whose seats were taken anew ${sum((one) => one.returns)} times; ${size!.bytes} bytes a message, its event and its stream`,
    );
  });
  after(() => stage?.close());

  async function under({ name, run }: Experiment): Promise<void> {
    const history = await History.begin(stage);
    try {
      await pause(500);
      await run(stage);
      await pause(lasting(500, 3_000));
      const checked = await history.check();
      if (LONG) for (const server of [0, 1] as const) await holdsNoConnection(server);
      done.push({ name, checked });
    } catch (error) {
      throw new Error([(error as Error).message, ...stage.servers.map((server, index) => `server ${index}: ${server.state}`)].join('\n'), { cause: error });
    } finally {
      await history.abandon();
    }
  }

  /** Once everybody has gone, nobody is connected to it, and it to no more than what it stands on. */
  async function holdsNoConnection(index: 0 | 1): Promise<void> {
    stage.doors[index].cut(); // what clients keep open for their next request
    const { pid, port, debugger: inspector } = stage.servers[index];
    const [postgres, redis] = [stage.toPostgres[index].port, stage.toRedis[index].port];
    let story = '';
    const settled = (): boolean => {
      const all = connectionsOf(pid).filter(({ local }) => local !== Number(new URL(inspector!).port));
      const count = (of: (one: (typeof all)[number]) => boolean) => all.filter(of).length;
      const held = { people: count(({ local }) => local === port), postgres: count(({ remote }) => remote === postgres), redis: count(({ remote }) => remote === redis) };
      const others = all.length - held.people - held.postgres - held.redis;
      story = JSON.stringify({ ...held, others });
      return held.people === 0 && others === 0 && held.postgres <= POOL + MORE_TO_POSTGRES && held.redis <= TO_REDIS;
    };
    await eventually(settled, 'it holds no connection', 30_000).catch((error: Error) => {
      throw new Error(`server ${index}: ${error.message}; it holds ${story}`);
    });
  }

  if (SOAK_MINUTES > 0) {
    it(`for ${SOAK_MINUTES} minutes, by chance`, async function () {
      this.timeout(SOAK_MINUTES * 60_000 + 600_000);
      const end = Date.now() + SOAK_MINUTES * 60_000;
      const failures: Error[] = [];
      while (Date.now() < end && failures.length < MOST_FAILURES) {
        const experiment = EXPERIMENTS[random(EXPERIMENTS.length)]!;
        console.log(`      ${new Date().toISOString().slice(11, 19)} ${done.length + failures.length + 1}: ${experiment.name}`);
        try {
          await under(experiment);
        } catch (error) {
          // What else there is to find is looked for, on a stage that nothing has happened to.
          failures.push(new Error(`${experiment.name}: ${(error as Error).message}`, { cause: error }));
          console.log(inspect(failures.at(-1), { depth: 6 }));
          await stage.close();
          stage = await Stage.start();
        }
      }
      if (failures.length) throw new AggregateError(failures, failures.map(({ message }) => message).join('\n'));
      assert.ok(done.length > 0);
    });
  } else {
    for (const experiment of LONG ? EXPERIMENTS : QUICK) it(experiment.name, () => under(experiment));
  }

  it(`${CYCLES} cycles of load leave no socket, timer or connection behind, and the heap is flat`, async () => {
    const looks: [Holdings[], Holdings[]] = [[], []];
    // The first warms up: prepared documents, compiled code, pools. The second is what the others are compared with.
    for (let cycle = -1; cycle <= CYCLES; cycle++) {
      await cycleOfLoad();
      for (const server of [0, 1] as const) {
        // Streams are followed for ten seconds more, for whoever comes back.
        const followed = LONG || cycle === CYCLES ? ['live_streams'] : [];
        for (const name of ['websockets', 'subscriptions', 'render_groups', 'send_queue_size', 'db_waiting', ...followed]) {
          await eventually(async () => (await figure(stage, `omnitalk_${name}`, server)) === 0, `${name} of server ${server} is 0`, 30_000);
        }
        if (followed.length) await holdsNoConnection(server);
      }
      await pause(1_000); // what lets go of idle things a moment later
      for (const server of [0, 1] as const) {
        const inspector = await Inspector.open(stage.servers[server]);
        if (cycle >= 0) looks[server].push(await inspector.holdings());
        inspector.close();
      }
    }
    for (const [server, all] of looks.entries()) {
      console.log(`      server ${server}, after each cycle: MiB ${all.map(({ heapBytes }) => (heapBytes / 2 ** 20).toFixed(1)).join(', ')}; timers ${all.map(({ timers }) => timers).join(', ')}`);
      const [first, last] = [all[0]!, all.at(-1)!];
      const grown = (last.heapBytes - first.heapBytes) / CYCLES;
      assert.ok(grown < HEAP_SLACK, `server ${server}: the heap grew by ${(grown / 2 ** 20).toFixed(1)} MiB a cycle: ${all.map(({ heapBytes }) => (heapBytes / 2 ** 20).toFixed(1)).join(', ')}`);
      assert.ok(last.timers <= first.timers + TIMER_SLACK, `server ${server}: timers ${all.map(({ timers }) => timers).join(', ')}`);
    }
  });

  async function cycleOfLoad(): Promise<void> {
    const history = await History.begin(stage);
    const more = Array.from({ length: CLIENTS }, (_, n) => stage.members[n % 3]!.devices[n % 2]!.client.at(stage.doors[n % 2]!.url));
    try {
      const { eventCursor } = (await more[0]!.api.chat({ id: stage.chatId })).chat!;
      const witnesses = more.map((client, n) => Witness.ofChat({ id: stage.members[n % 3]!.id, client }, stage.chatId, eventCursor));
      await eventually(() => witnesses.every(({ events }) => events.length > lasting(8, 20)), 'all of them have seen some', 60_000);
      for (const witness of witnesses) witness.close();
      await history.check();
    } finally {
      await history.abandon();
      await Promise.all(more.map((client) => client.close()));
    }
  }
});
