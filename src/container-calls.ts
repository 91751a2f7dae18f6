import { availableParallelism } from 'node:os';
import type { Config } from './config.js';
import type { Database } from './db/database.js';
import type { UnitOfWork } from './db/unit-of-work.js';
import type { Bus } from './events/bus.js';
import type { JobDeps } from './jobs/index.js';
import type { Clock } from './lib/clock.js';
import type { Logger } from './lib/logger.js';
import type { Media } from './media/contract.js';
import { MediaServer } from './media/media-server.js';
import { cacheFolder } from './media/worker-binary.js';
import { CallMediaResolver } from './resolvers/call-media.js';
import { CALL_EVENT_RESOLVERS, CallEventsResolver } from './resolvers/call-events.js';
import { CallRecordingsOfCallResolver, CallRecordingsResolver } from './resolvers/call-recordings.js';
import { CallShowcaseResolver, ShowcaseOfCallResolver } from './resolvers/call-showcase.js';
import { CallTokensResolver, CallVerbsResolver } from './resolvers/call-verbs.js';
import { CallLogEntryResolver, CallParticipantResolver, CallProducerResolver, CallResolver, ChatCallResolver, ViewerCallsResolver } from './resolvers/calls.js';
import { CallFeed } from './services/calls/call-feed.js';
import { CallLinks } from './services/calls/call-links.js';
import { CallLog } from './services/calls/call-log.js';
import { CallMedia } from './services/calls/call-media.js';
import { CallMutes } from './services/calls/call-mutes.js';
import { CallNode } from './services/calls/call-node.js';
import { CallParticipants } from './services/calls/call-participants.js';
import { CallQuality } from './services/calls/call-quality.js';
import { CallRecordings } from './services/calls/call-recordings.js';
import { CallSeats } from './services/calls/call-seats.js';
import { CallShowcase } from './services/calls/call-showcase.js';
import { CallSpread } from './services/calls/call-spread.js';
import { CallTokenService } from './services/calls/call-tokens.js';
import { CallUpkeep } from './services/calls/call-upkeep.js';
import { CallVoices } from './services/calls/call-voices.js';
import { CallService } from './services/calls/calls.js';
import { MediaGateway } from './services/calls/media-gateway.js';
import { MediaRelease } from './services/calls/media-release.js';
import { MediaUpkeep } from './services/calls/media-upkeep.js';
import { recordingStore } from './services/calls/recording-store.js';
import { TurnService } from './services/calls/turn.js';
import type { AccessTokens } from './services/tokens.js';
import type { ObjectStore } from './storage/store.js';

/** A process that is only busy for a moment must not be taken for dead. */
const LEAST_LEASE_MS = 3_000;
/** A call that was killed is told of as it was at most so long before. */
const MEASURE_EVERY_MS = 3_000;

/** For an event to reach the sockets of this process. */
const TELL_MS = 200;

/** Media of this process's own. It looks for its worker, and where there is none fetches or builds it meanwhile. */
export function makeMedia(config: Config, store: ObjectStore, log: Logger): MediaServer {
  return new MediaServer({
    worker: { given: config.MEDIASOUP_WORKER_BIN, cacheDir: cacheFolder(config.XDG_CACHE_HOME) },
    workers: config.MEDIA_WORKERS,
    listenIp: config.MEDIA_LISTEN_IP,
    announcedAddress: config.MEDIA_ANNOUNCED_ADDRESS,
    port: config.MEDIA_PORT,
    pipes: { address: config.MEDIA_PIPE_ADDRESS, ports: config.MEDIA_PIPE_PORTS },
    peersPerRouter: config.MEDIA_PEERS_PER_ROUTER,
    store: recordingStore(store),
    log,
  });
}

export interface CallDeps {
  config: Config;
  db: Database;
  unitOfWork: UnitOfWork;
  bus: Bus;
  clock: Clock;
  log: Logger;
  tokens: AccessTokens;
  media: Media;
  store: ObjectStore;
}

export interface Calls {
  service: CallService;
  links: CallLinks;
  voices: CallVoices;
  node: CallNode;
  jobs: Pick<JobDeps, 'calls' | 'callRecordings'>;
  resolvers: object[];
  /** The server stops: people are told to join elsewhere, while their connections still stand. */
  handOver(): Promise<void>;
  close(): Promise<void>;
  /** Once media has ended: what was being recorded until then is written down. */
  closeRecordings(): Promise<void>;
}

/** The part of the container that calls are made of. */
export async function makeCalls({ config, db, unitOfWork, bus, clock, log, tokens, media, store }: CallDeps): Promise<Calls> {
  const node: CallNode = new CallNode(db.background, clock, media, log, {
    region: config.MEDIA_REGION,
    workers: config.MEDIA_WORKERS ?? availableParallelism(),
    capacity: (config.MEDIA_WORKERS ?? availableParallelism()) * config.MEDIA_PEERS_PER_ROUTER,
    leaseMs: Math.max(config.HEARTBEAT * 1000, LEAST_LEASE_MS),
    onRevived: async () => {
      await Promise.all([mediaUpkeep.sweep(), links.stillThere()]);
    },
  });
  const gateway: MediaGateway = new MediaGateway(media, node.id, bus);
  if (media instanceof MediaServer) media.connect(gateway.others);
  const mediaUpkeep = new MediaUpkeep(db.background, unitOfWork, media, node.id, log);
  const release = new MediaRelease(unitOfWork, gateway, log);
  const service = new CallService(db.sql, unitOfWork, node, release);
  const spread = new CallSpread(db.background, bus, media, node.id, log);
  const seats = new CallSeats(db.sql, unitOfWork, node, gateway, release, spread);
  const upkeep = new CallUpkeep(db.background, unitOfWork, release, clock, node, log);
  const links = new CallLinks(unitOfWork, node.id, log);
  const feed = new CallFeed(media, bus, unitOfWork, upkeep, node, log);
  const recordings = new CallRecordings(db.sql, unitOfWork, gateway, media, store, log);
  const callTokens = new CallTokenService(db.sql, unitOfWork, tokens, release);
  const participants = new CallParticipants(db.sql);
  const quality = new CallQuality(db.background, media, node.id, log, MEASURE_EVERY_MS);
  await gateway.start();
  await node.start();
  await spread.start();
  quality.start();
  mediaUpkeep.start();
  return {
    service,
    links,
    voices: new CallVoices(unitOfWork, seats, links, node.id, media instanceof MediaServer ? media : null),
    node,
    jobs: { calls: upkeep, callRecordings: recordings },
    resolvers: [
      new CallResolver(service, participants), new CallParticipantResolver(), new CallProducerResolver(), new ChatCallResolver(), new CallLogEntryResolver(),
      new ViewerCallsResolver(new CallLog(db.sql)), new CallVerbsResolver(service, seats, new CallMutes(db.sql, unitOfWork, gateway)),
      new CallTokensResolver(callTokens, new TurnService(clock, { urls: config.TURN_URLS, secret: config.TURN_SECRET }), service),
      new CallMediaResolver(new CallMedia(db.sql, unitOfWork, gateway)), new CallRecordingsResolver(recordings), new CallRecordingsOfCallResolver(),
      new CallShowcaseResolver(new CallShowcase(db.sql, unitOfWork)), new ShowcaseOfCallResolver(), new CallEventsResolver(), ...CALL_EVENT_RESOLVERS.map((resolver) => new resolver()),
    ],
    async handOver() {
      await node.retire().catch((error: Error) => log.warn({ error: error.message }, 'calls: could not say that this server stops'));
      // Twice: somebody may have been on the way to a seat here as it was said that there is none any more.
      for (let time = 0; time < 2; time++) {
        const calls = await upkeep.handOver(node.id);
        // The word is on its way to sockets that this process is about to close.
        if (calls) await new Promise((resolve) => setTimeout(resolve, TELL_MS));
      }
      await links.close();
    },
    async close() {
      feed.close();
      spread.close();
      await quality.close();
      await mediaUpkeep.close();
      gateway.close();
      await node.close();
    },
    closeRecordings: () => recordings.close(),
  };
}
