import { parseArgs } from 'node:util';
import { Ground } from './lib/ground.js';
import { topOf } from './lib/profile.js';
import { save, tableOf, type Row } from './lib/report.js';
import { VAR } from './lib/server-process.js';
import { describeMachine } from './lib/system.js';
import { isPartOfCalls, runCalls } from './scenarios/calls.js';
import { runCart } from './scenarios/cart.js';
import { runCheckout } from './scenarios/checkout.js';
import { runBurst, runIdle, runStorm } from './scenarios/crowds.js';
import { PAIRS, ROOM, runFanout } from './scenarios/fanout.js';
import { FILES_NOTE, runFiles } from './scenarios/files.js';
import { JOIN_NOTE, runJoin } from './scenarios/join.js';
import { ML_NOTE, runMl, runMlQuality } from './scenarios/ml.js';
import { ML_SERVING_NOTE, runMlServing } from './scenarios/ml-serving.js';
import { LANGUAGE_NOTE, runLanguage } from './scenarios/language.js';
import { REJOIN_NOTE, runRejoin } from './scenarios/rejoin.js';
import { PARTITIONS_NOTE, runPartitions } from './scenarios/partitions.js';
import { runReads } from './scenarios/reads.js';
import { runSends } from './scenarios/sends.js';
import { runWorkers } from './scenarios/workers.js';
import { OmniTalkTarget } from './targets/omnitalk.js';
import { startReads } from './targets/omnitalk-reads.js';
import { runVersus, VERSUS } from './versus.js';

const USAGE = `npm run bench -- <scenario> [options]

  room     one room of 500, 16 messages on their way; then paced at 20 a second
  pairs    500 rooms of 2, 64 messages on their way; then paced at 200 a second
  reads    a page of 50 messages with senders and reactions, 32 at a time, over 1,000 chats
  sends    durable sends in one busy chat and over 100 chats, beside pgbench with the same rows
  idle     10,000 idle subscriptions: memory, and CPU to open them
  storm    2,000 clients reconnect at once and resume
  workers  room and pairs with one process and with two, on a Redis
  burst    500 messages at once to 300 subscribers
  calls [opus|vp8|capacity]   Opus and VP8 to plain receivers with SRTP through our rooms, mediasoup by itself and Janus' VideoRoom (Debian: janus), in turn; consumers
           a core; --rounds=3
  cart     one cart that 200 people fill and follow: edits a second, told to all
  checkout checkouts a second that pay by the sandbox, over 100 products and of one
  files    one file of 2 GiB through the SDK and back: the server's memory meanwhile
  join     from joinCall to the first decoded frame in a browser, 40 times (Debian: chromium)
  language sentiment, conduct, retrieval and summaries of the process itself, on labelled sets: quality, no times
  rejoin   a call of 12 over two workers of which one is killed, until everybody hears everybody again, 10 times
  partitions   the database's CPU for the hot statements, with messages in one table, and in 8 and 16 partitions
  ml       K-Means, DBSCAN and implicit factors beside scikit-learn and numpy, and what is found of what was planted (Debian: python3-sklearn); --rounds=3
  ml-quality   the same without times, for a machine that is busy
  ml-serving   suggestions to 100,000 people of 20,000 products, and the longest stall while all of it is learned

  --vs [room|documents|pairs|reads|catalogue|catalogue-search]   peers beside ours, interleaved in one run, with ratios; --rounds=3 (peers install themselves into bench/peers/);
           --only=OmniTalk,…  some of them beside the first, for a question of the moment

  --inbox     room, pairs, workers, idle, storm, burst: by inboxEvents instead of chatEvents
  --documents=5   room: so many different documents, in turn
  --clients=10000   storm: how many come back
  --personal      room: one subscriber in five asks for a viewer-dependent field
  --commit-delay=2000   every scenario: commits wait so many microseconds, as on a slower disk
  --profile   a CPU profile of the server while it is measured, in bench/var/, and its top functions
  --save      put the result into bench/RESULTS.md
`;

interface Options {
  inbox: boolean;
  documents: number;
  clients: number;
  personal: boolean;
  rounds: number;
  profile: string | undefined;
}

type Scenario = (ground: Ground, options: Options) => Promise<Record<string, Row>>;

const SCENARIOS: Record<string, Scenario> = {
  room: (ground, options) => withOurs(ground, options, (target) => runFanout(ground, target, ROOM, options.profile)),
  pairs: (ground, options) => withOurs(ground, options, (target) => runFanout(ground, target, PAIRS, options.profile)),
  reads: async (ground, { profile }) => {
    const target = await startReads(ground);
    try {
      return { OmniTalk: await runReads(ground, target, profile) };
    } finally {
      await target.stop();
    }
  },
  sends: async (ground, { profile }) => {
    const busy = await runSends(ground, 1, profile);
    await ground.sql.query('truncate messages, chats, chat_members, events, streams, idempotency_keys cascade');
    return { 'one busy chat': busy, '100 chats': await runSends(ground, 100, profile?.replace(/(?=\.cpuprofile$)/, '-100-chats')) };
  },
  idle: async (ground, options) => ({ OmniTalk: await runIdle(ground, options) }),
  storm: async (ground, options) => ({ OmniTalk: await runStorm(ground, options) }),
  workers: (ground, { inbox }) => runWorkers(ground, inbox),
  burst: async (ground, options) => ({ OmniTalk: await runBurst(ground, options) }),
  cart: async (ground, { profile }) => ({ OmniTalk: await runCart(ground, profile) }),
  checkout: async (ground, { profile }) => ({ '100 products': await runCheckout(ground, 100, profile), 'one product': await runCheckout(ground, 1, profile?.replace(/(?=\.cpuprofile$)/, '-one-product')) }),
  files: runFiles,
  partitions: runPartitions,
  join: runJoin,
  rejoin: runRejoin,
  ml: (_, { rounds }) => runMl(rounds),
  'ml-quality': runMlQuality,
  'ml-serving': (ground, { profile }) => runMlServing(ground, profile),
  language: runLanguage,
};

/** What a table doesn't say. */
const NOTES: Record<string, string> = { files: FILES_NOTE, join: JOIN_NOTE, rejoin: REJOIN_NOTE, partitions: PARTITIONS_NOTE, language: LANGUAGE_NOTE, ml: ML_NOTE, 'ml-quality': ML_NOTE, 'ml-serving': ML_SERVING_NOTE };

async function withOurs(ground: Ground, { inbox, documents, personal }: Options, work: (target: OmniTalkTarget) => Promise<Row>): Promise<Record<string, Row>> {
  const target = await OmniTalkTarget.start(ground, { inbox, documents, personal });
  try {
    return { OmniTalk: await work(target) };
  } finally {
    await target.stop();
  }
}

async function versus(names: readonly string[], rounds: number, only: string[] | null, command: string | null): Promise<number> {
  for (const name of names) {
    const what = VERSUS.find((known) => known === name);
    if (!what) {
      console.log(USAGE);
      return 2;
    }
    const ground = await Ground.prepare();
    try {
      const table = await runVersus(ground, what, rounds, only);
      console.log(`\n${what} beside peers, on ${describeMachine()}\n\n${table}\n`);
      if (command) save(`${what} beside peers`, command, table);
    } finally {
      await ground.close();
    }
  }
  return 0;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean', default: false }, vs: { type: 'boolean', default: false }, only: { type: 'string' }, rounds: { type: 'string', default: '3' }, documents: { type: 'string', default: '1' }, personal: { type: 'boolean', default: false }, 'commit-delay': { type: 'string', default: '0' }, inbox: { type: 'boolean', default: false }, clients: { type: 'string', default: '2000' }, profile: { type: 'boolean', default: false }, save: { type: 'boolean', default: false } },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const command = `npm run bench -- ${process.argv.slice(2).join(' ')}`;
  if (values.vs) return versus(positionals.length ? positionals : VERSUS, Number(values.rounds), values.only?.split(',') ?? null, values.save ? command : null);
  const name = positionals[0] ?? '';
  if (name === 'calls') {
    const only = positionals[1];
    if (only && !isPartOfCalls(only)) {
      console.log(USAGE);
      return 2;
    }
    const part = only ? `calls: ${only}` : 'calls';
    const { rows, notes } = await runCalls({ rounds: Number(values.rounds), only });
    const body = `${tableOf(rows)}\n\n${notes}`;
    console.log(`\n${part}, on ${describeMachine()}\n\n${body}`);
    if (values.save) save(part, command, body);
    return 0;
  }
  const scenario = SCENARIOS[name];
  if (!scenario) {
    console.log(USAGE);
    return 2;
  }
  const delay = Number(values['commit-delay']);
  const part = [
    name,
    ...(values.inbox ? ['by inboxEvents'] : []),
    ...(values.clients === '2000' ? [] : [`of ${values.clients} clients`]),
    ...(values.documents === '1' ? [] : [`with ${values.documents} documents`]),
    ...(values.personal ? ['where one in five asks for a viewer-dependent field'] : []),
    ...(delay ? [`with commits ${delay / 1000} ms later`] : []),
  ].join(' ');
  const profile = values.profile ? `${VAR}${part.replaceAll(' ', '-')}.cpuprofile` : undefined;
  const ground = await Ground.prepare();
  try {
    if (delay) await ground.delayCommits(delay);
    const rows = await scenario(ground, { inbox: values.inbox, documents: Number(values.documents), clients: Number(values.clients), personal: values.personal, rounds: Number(values.rounds), profile });
    const body = tableOf(rows) + (NOTES[name] ? `\n\n${NOTES[name]}` : '') + (profile ? `\n\nWhere the server's CPU goes (time in a function itself, of the time in which it did anything):\n\n\`\`\`\n${topOf(profile, 15)}\n\`\`\`` : '');
    console.log(`\n${part}, on ${describeMachine()}\n\n${body}`);
    if (values.save) save(part, command, body);
  } finally {
    await ground.close();
  }
  return 0;
}

process.exitCode = await main();
