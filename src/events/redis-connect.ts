import { Cluster, Redis, type RedisOptions } from 'ioredis';

/** Where Redis is: one server, a master that sentinels know, or a cluster. */
export interface RedisSettings {
  /** Of one server; with sentinels or a cluster it tells user, password, database and TLS alone. */
  url: string;
  /** host:port of sentinels, and what they call the master. */
  sentinels?: readonly string[];
  master?: string;
  /** host:port of nodes of a cluster, from which the others are found. */
  nodes?: readonly string[];
}

const MAX_RETRY_MS = 1_000;
/** A server that can't be reached, and drops what is sent to it, is given up after this. */
const CONNECT_MS = 2_000;
/** A connection on which a command has had no answer for this long is made anew. */
const SILENCE_MS = 3_000;

/** Tried again and again: soon after a short outage, and this often at the least. */
const retryStrategy = (attempt: number): number => Math.min(50 * 2 ** Math.min(attempt, 6), MAX_RETRY_MS);

const addressOf = (text: string): { host: string; port: number } => {
  const at = text.lastIndexOf(':');
  return { host: text.slice(0, at).replace(/^\[(.*)\]$/, '$1'), port: Number(text.slice(at + 1)) };
};

/** What the URL says beside an address. */
function identityOf(url: string): Pick<RedisOptions, 'username' | 'password' | 'db' | 'tls'> {
  const { username, password, pathname, protocol } = new URL(url);
  const db = Number(pathname.slice(1));
  return { ...(username && { username: decodeURIComponent(username) }), ...(password && { password: decodeURIComponent(password) }), ...(db && { db }), ...(protocol === 'rediss:' && { tls: {} }) };
}

export const isCluster = ({ nodes }: RedisSettings): boolean => !!nodes?.length;

/** A connection to one server: by its address, or to whichever the sentinels call the master. It comes back by itself, also from a master that has become a replica. */
export function connectRedis({ url, sentinels, master }: RedisSettings, options: RedisOptions, Connection: typeof Redis = Redis): Redis {
  const common: RedisOptions = {
    retryStrategy,
    connectTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    // A master that a failover has made a replica keeps its connections and refuses to write.
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
    ...options,
  };
  if (!sentinels?.length) return new Connection(url, common);
  return new Connection({ ...common, ...identityOf(url), sentinels: sentinels.map(addressOf), name: master ?? 'mymaster', sentinelRetryStrategy: retryStrategy, failoverDetector: true });
}

/** All of a cluster. A key or sharded channel goes to the node that its slot is of, wherever that moves. */
export function connectCluster({ url, nodes }: RedisSettings, options: { commandTimeout?: number; sharded?: boolean }): Cluster {
  const { username, password, tls } = identityOf(url);
  return new Cluster(nodes!.map(addressOf), {
    clusterRetryStrategy: retryStrategy,
    enableOfflineQueue: false,
    // Told of by nobody: a replica that has taken over is found by asking.
    slotsRefreshInterval: 2_000,
    shardedSubscribers: options.sharded ?? false,
    redisOptions: {
      ...(username && { username }), ...(password && { password }), ...(tls && { tls }),
      connectTimeout: CONNECT_MS,
      socketTimeout: SILENCE_MS,
      maxRetriesPerRequest: 0,
      ...(options.commandTimeout && { commandTimeout: options.commandTimeout }),
    },
  });
}
