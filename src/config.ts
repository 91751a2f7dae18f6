import { z } from 'zod';
import { ConfigError } from './lib/errors.js';

export { ConfigError };

const port = z.coerce.number().int().min(0).max(65535);
const count = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const flag = z.enum(['true', 'false']).transform((value) => value === 'true');
const url = (protocols: string[]) =>
  z.string().refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol.slice(0, -1)), {
    message: `expected a URL that starts with ${protocols.map((protocol) => `${protocol}://`).join(' or ')}`,
  });
const list = z.string().transform((value) => value.split(',').map((item) => item.trim()).filter(Boolean));

/** host:port, comma-separated. */
const addresses = list.refine((given) => given.every((one) => /^(\[[0-9a-fA-F:]+\]|[^\s:/]+):[1-9][0-9]{0,4}$/.test(one)), { message: 'expected host:port, comma-separated' });

/** NAME:number, comma-separated. */
const plans = list.transform((given, context) => {
  const read = new Map(given.map((one) => [one.split(':')[0]!, Number(one.split(':')[1])]));
  const good = read.size === given.length && read.size > 0 && given.every((one) => /^[A-Z][A-Z0-9_]{0,31}:[1-9][0-9]{0,9}$/.test(one));
  if (!good) context.addIssue({ code: 'custom', message: 'expected plans as NAME:cost a minute, comma-separated' });
  return read;
});
/** Two ports with a hyphen: the first and the last of a range. */
const portRange = z
  .string()
  .regex(/^\d{1,5}-\d{1,5}$/, 'expected ports as first-last')
  .transform((given) => {
    const [min, max] = given.split('-').map(Number) as [number, number];
    return { min, max };
  })
  .refine(({ min, max }) => min >= 1 && min <= max && max <= 65_535, { message: 'expected ports as first-last, from 1 to 65535' });

/** Every setting, its default, and what it is for. The table in docs/OPERATIONS.md is written from here. */
const schema = z.object({
  PORT: port.default(4000).describe('TCP port of the API; 0 picks a free one'),
  HOST: z.string().min(1).default('127.0.0.1').describe('Address to listen on; 0.0.0.0 for all'),
  PUBLIC_URL: url(['http', 'https']).optional().describe('Where people reach your app: mails link to PUBLIC_URL/verify-email?token=… and PUBLIC_URL/reset-password?token=…, and apps send people to PUBLIC_URL/authorize; default: mails hold the code alone, and the server has a page at /authorize itself'),
  API_URL: url(['http', 'https']).optional().describe('Where clients reach this API, https://api.example.com: the issuer that /.well-known/oauth-authorization-server names, and the one `aud` by which tickets of partners are for it; default: what each request was sent to, so that a ticket made for a namesake elsewhere is taken from whoever names that as the host'),
  DATA_DIR: z.string().min(1).default('.omnitalk').describe('Folder of the embedded PostgreSQL and other local data'),
  DATABASE_URL: url(['postgres', 'postgresql']).optional().describe('A PostgreSQL of your own (15 or later); default: the embedded one'),
  DATABASE_POOL: count(2, 200).default(16).describe('Connections to PostgreSQL, for each process; fewer where WORKERS of them would not fit'),
  DATABASE_REPLICAS: list.refine((given) => given.every((one) => URL.canParse(one) && /^postgres(ql)?:$/.test(new URL(one).protocol)), { message: 'expected URLs that start with postgres:// or postgresql://, comma-separated' }).default([]).describe('Streaming replicas of DATABASE_URL, comma-separated, each one server; queries read from them whatever was committed before they began; default: none'),
  REPLICA_WAIT: count(1, 10_000).default(100).describe('Milliseconds that a query waits for a replica to come up to it; then DATABASE_URL is asked'),
  WORKERS: count(1, 64).default(1).describe('Processes that serve on PORT together; one for each core. More than 1 need REDIS_URL'),
  REDIS_URL: url(['redis', 'rediss']).optional().describe('Redis, needed when more than one process serves; default: in-process'),
  REDIS_SENTINELS: addresses.default([]).describe('Sentinels that know where Redis is, each as host:port, comma-separated; REDIS_URL then tells user, password, database and TLS alone'),
  REDIS_MASTER: z.string().min(1).default('mymaster').describe('What those sentinels call the master'),
  REDIS_NODES: addresses.default([]).describe('Some nodes of a Redis Cluster (7 or later), each as host:port, comma-separated; REDIS_URL then tells user, password and TLS alone'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info').describe('Least severe log line that is written'),
  JWT_SECRET: z.string().min(32).optional().describe('Key of access tokens, 32 characters or more; default: made once and kept in the database'),
  ACCESS_TOKEN_TTL: count(5, 86_400).default(900).describe('Life of an access token, seconds'),
  REFRESH_TOKEN_TTL: count(60, 31_536_000).default(2_592_000).describe('Life of a refresh token that is not used, seconds'),
  OIDC_JWKS_URL: url(['http', 'https']).optional().describe("Keys of a partner's identity provider; with OIDC_ISSUER and OIDC_AUDIENCE its tokens are accepted"),
  OIDC_ISSUER: z.string().min(1).optional().describe('The `iss` that such a token must carry'),
  OIDC_AUDIENCE: z.string().min(1).optional().describe('The `aud` that such a token must carry'),
  SMTP_URL: url(['smtp', 'smtps']).optional().describe('Mail server for verification and reset; default: mails are written to the log'),
  MAIL_FROM: z.string().min(3).default('OmniTalk <no-reply@localhost>').describe('Sender of e-mails'),
  CORS_ORIGINS: list.default([]).describe('Origins whose pages may call the API, comma-separated; `*` for any; default: none but its own'),
  TRUST_PROXY: flag.default(false).describe('Take the client address from X-Forwarded-For (only behind a proxy of your own)'),
  GRAPHIQL: flag.default(true).describe('Serve GraphiQL at /graphql to browsers'),
  DASHBOARD: flag.default(true).describe('Serve the dashboard for analysts and administrators at /admin'),
  INTROSPECTION: flag.default(true).describe('Answer introspection queries'),
  SECURITY_CONTACT: z.string().regex(/^(mailto:[^\s@]+@[^\s@]+|https:\/\/\S+)$/, { message: 'expected mailto:… or https://…' }).optional().describe('Where holes are reported, mailto:… or https://…: told at /.well-known/security.txt; default: there is none'),
  METRICS_TOKEN: z.string().min(8).optional().describe('Bearer token that /metrics asks for; default: loopback only'),
  OTEL_EXPORTER_OTLP_ENDPOINT: url(['http', 'https']).optional().describe('A collector of OpenTelemetry that takes traces as OTLP over HTTP, http://collector:4318; default: none are made'),
  OTEL_SERVICE_NAME: z.string().min(1).default('omnitalk').describe('What the server is called in traces'),
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).default(1).describe('The share of traces that is kept, 0 to 1'),
  MAX_QUERY_DEPTH: count(2, 100).default(14).describe('Deepest selection that is executed'),
  MAX_QUERY_COST: count(10, 1_000_000).default(5_000).describe('Highest cost of one operation; see docs/ERRORS.md'),
  RATE_LIMIT_COST: count(100, 100_000_000).default(60_000).describe('Cost that one person may spend a minute'),
  APP_PLANS: plans.default(new Map([['FREE', 120_000], ['PRO', 1_200_000]])).describe('Plans of apps, comma-separated, each as NAME:cost that one app may spend a minute, whoever it acts for; the first is that of apps that were given none'),
  RATE_LIMIT_ADDRESS: count(10, 10_000_000).default(3_000).describe('Requests that one address may make a minute; a document that the process does not know yet counts once more for each thousand characters'),
  RATE_LIMIT_AUTH: count(1, 100_000).default(30).describe('Sign-ups, sign-ins and codes that one address may ask for in 10 minutes'),
  PERSISTED_OPERATIONS: z.string().min(1).optional().describe('A JSON file of persisted operations, id to document'),
  PERSISTED_ONLY: flag.default(false).describe('Refuse every operation that is not persisted'),
  MAX_SOCKETS: count(1, 1_000_000).default(20_000).describe('WebSocket and SSE connections that each process holds'),
  MAX_SOCKETS_EACH: count(1, 1_000_000).default(500).describe('Of which so many by one person, or by one address (IPv6: its /64) that has not said who it is'),
  MAX_SUBSCRIPTIONS: count(1, 10_000).default(100).describe('Subscriptions on one connection'),
  MAX_BUFFERED: count(16_384, 67_108_864).default(1_048_576).describe('Bytes waiting for one slow connection before it is closed'),
  HEARTBEAT: count(1, 60).default(10).describe('Seconds between pings; a dead connection is noticed within two'),
  RECONCILE: count(1, 60).default(3).describe('Seconds between comparisons of live streams with the database'),
  SLOW_OPERATION: count(1, 600_000).default(1_000).describe('Milliseconds from which an operation is logged as slow'),
  DRAIN: count(0, 300).default(10).describe('Longest wait for requests under way at a stop, seconds'),
  CALLS: flag.default(true).describe('Carry calls in this process; false: those that others carry can still be joined through it'),
  MEDIASOUP_WORKER_BIN: z.string().min(1).optional().describe("A mediasoup worker of your own; default: the package's, a kept one, else it is fetched or built once"),
  XDG_CACHE_HOME: z.string().min(1).optional().describe('Folder of caches, where a built media worker is kept; default: ~/.cache'),
  MEDIA_WORKERS: count(1, 256).optional().describe('Media workers, each a process that uses one core; default: one a core'),
  MEDIA_LISTEN_IP: z.ipv4().or(z.ipv6()).default('127.0.0.1').describe('Address on which media is received; 0.0.0.0 for all'),
  MEDIA_ANNOUNCED_ADDRESS: z.string().min(1).optional().describe('Address or name by which clients reach MEDIA_LISTEN_IP, where that is another one (NAT, 0.0.0.0)'),
  MEDIA_PORT: port.default(20_000).describe('First port of media, UDP and TCP: each worker has one, counted up; 0 picks free ones'),
  MEDIA_REGION: z.string().regex(/^[a-z0-9-]{0,32}$/, 'a–z, 0–9 and hyphens').default('').describe('Where this server’s media is, by a name of yours (eu-west): who joins a call is seated near it, and whoever joins first decides where the call is at home'),
  MEDIA_PIPE_ADDRESS: z.ipv4().or(z.ipv6()).optional().describe('Address by which other servers that carry calls reach this one, for calls that they share; default: what clients are told, or where media is received'),
  MEDIA_PIPE_PORTS: portRange.prefault('21000-24999').describe('UDP ports for that, first-last; open them between servers that carry calls, and to nobody else'),
  MEDIA_PEERS_PER_ROUTER: count(1, 1_000).default(40).describe('Participants of a call on one worker before the call spreads to the next'),
  TURN_URLS: list.default([]).describe('Addresses of a TURN server (coturn) of your own, comma-separated: turn:host:3478?transport=udp; default: none'),
  TURN_SECRET: z.string().min(16).optional().describe('The secret that it shares (coturn: use-auth-secret), 16 characters or more; needed beside TURN_URLS'),
  NEWS: flag.default(true).describe('Fetch news, where JOBS run'),
  NEWS_BUILT_IN: flag.default(true).describe('Fetch the feeds that come with the product (BBC, Al Jazeera, CNN)'),
  NEWS_FEEDS: list.default([]).describe('More feeds, comma-separated, each as Publisher|Section|https://…; administrators add others by createNewsSource'),
  NEWS_EVERY: count(60, 86_400).default(300).describe('Seconds between two fetches of a feed, unless it asks for more (ttl, max-age)'),
  NEWS_KEEP_DAYS: count(1, 3_650).default(90).describe('Days after which an article is forgotten, unless somebody has bookmarked or shared it, or its feed still lists it'),
  PRODUCT_URL: z
    .string()
    .regex(/^https?:\/\/[^/?#{}]+(?=\/[^?#]*\{shop\})(?=\/[^?#]*\{product\})\/[^?#]*$/, { message: 'expected an address with {shop} and {product} in its path' })
    .optional()
    .describe('Where your app shows a product; such a link in a message becomes a card of it. Default: PUBLIC_URL/shops/{shop}/products/{product}'),
  LINK_PREVIEWS: flag.default(true).describe('Fetch pages behind links in messages, where JOBS run, to show what they are'),
  OUTBOUND_PORTS: list.transform((given) => given.map(Number)).refine((given) => given.every((one) => Number.isInteger(one) && one >= 1 && one <= 65_535), { message: 'expected ports, comma-separated' }).default([80, 443]).describe('Ports of others that may be asked (feeds, pages behind links, push, webhooks), comma-separated'),
  OUTBOUND_PRIVATE_HOSTS: list.default([]).describe('Hosts that may be asked although they are private, comma-separated: `host` for any of its ports, or `host:port`; all else must be of the public internet'),
  FILES_PORT: port.optional().describe('TCP port on which files are sent and fetched, an origin of its own; default: the one after PORT'),
  FILES_URL: url(['http', 'https']).optional().describe('How clients reach FILES_PORT: an origin that nothing else is served from, https://files.example.com; default: http://HOST:FILES_PORT'),
  CDN_URL: url(['http', 'https']).optional().describe('A cache that stands before FILES_URL: files are fetched from there, and sent to FILES_URL; default: none'),
  FILE_URL_TTL: count(60, 604_800).default(21_600).describe('A link to a file is good for one to two times this, seconds; whoever may no longer see a file can use a link for so long'),
  MAX_FILE_BYTES: count(1, 1_099_511_627_776).default(2_147_483_648).describe('Largest file, bytes'),
  FILE_QUOTA: count(1, 1_125_899_906_842_624).default(10_737_418_240).describe('What one person’s files may take together, bytes'),
  FILE_TRANSFERS: count(1, 100_000).default(1_000).describe('Files that are sent and fetched at once, of one process'),
  FILE_TRANSFERS_EACH: count(1, 100_000).default(64).describe('Of which so many by one address (IPv6: by its /64); behind a CDN it is the CDN that fetches: give it more'),
  S3_BUCKET: z.string().min(3).optional().describe('A bucket of any server that speaks S3, to keep files in; with S3_ACCESS_KEY and S3_SECRET_KEY; default: the folder DATA_DIR/store'),
  S3_ACCESS_KEY: z.string().min(1).optional().describe('Access key of the bucket'),
  S3_SECRET_KEY: z.string().min(1).optional().describe('Secret key of the bucket'),
  S3_REGION: z.string().min(1).default('us-east-1').describe('Region of the bucket'),
  S3_ENDPOINT: url(['http', 'https']).optional().describe('Where that server is, when it is not Amazon’s'),
  S3_PUBLIC_ENDPOINT: url(['http', 'https']).optional().describe('How clients reach it, to send files there; default: S3_ENDPOINT'),
  S3_PATH_STYLE: flag.default(false).describe('Its addresses are http://host/bucket/key instead of http://bucket.host/key (MinIO and most others)'),
  CLAMD_URL: url(['tcp', 'unix']).optional().describe('A clamd that every file is shown to before it is served: tcp://host:3310, unix:///run/clamav/clamd.ctl; default: files are not scanned'),
  PLATFORM_FEE_BPS: count(0, 10_000).default(0).describe('What the platform keeps of every sale, in basis points: 250 is 2.5 %'),
  SANDBOX_PAYMENTS: flag.optional().describe('Let people order by `sandbox`, in which no money moves and everything counts as paid; default: only where there is no STRIPE_SECRET_KEY'),
  STRIPE_SECRET_KEY: z.string().min(8).optional().describe('Secret key of a Stripe account, for payments by `stripe`; default: none'),
  STRIPE_WEBHOOK_SECRET: z.string().min(8).optional().describe('Signing secret of the webhook /webhooks/payments/stripe (events payment_intent.* and refund.*); without it Stripe is asked and not heard'),
  STRIPE_URL: url(['http', 'https']).default('https://api.stripe.com').describe('Where Stripe answers'),
  STRIPE_RETURN_URL: url(['http', 'https']).optional().describe('Where payers come back to after 3-D Secure; default: PUBLIC_URL'),
  STRIPE_TIMEOUT: count(1, 80).default(15).describe('Seconds that Stripe may take to answer; then it is asked again'),
  RETENTION_SESSION_DAYS: count(1, 3_650).default(30).describe('Days for which a session that has ended is remembered'),
  RETENTION_NOTIFICATION_DAYS: count(1, 3_650).default(90).describe('Days for which the notification centre keeps things'),
  RETENTION_DELIVERY_DAYS: count(1, 3_650).default(30).describe('Days for which the log of webhooks is kept'),
  RETENTION_EXPORT_DAYS: count(1, 90).default(7).describe('Days for which a copy of somebody’s data can be fetched'),
  RETENTION_MESSAGE_DAYS: count(0, 36_500).default(0).describe('Days after which messages are erased for everybody; 0: never'),
  RETENTION_ACCOUNT_DAYS: count(0, 36_500).default(0).describe('Days after which an account that nobody has used is erased; 0: never'),
  RETENTION_ORDER_DAYS: count(0, 36_500).default(3_650).describe('Days after which an order that is over loses its address, all but the country; 0: never'),
  WEBHOOKS: flag.default(true).describe('Tell the endpoints of webhooks of events (in a process that runs jobs)'),
  NOTIFICATIONS: flag.default(true).describe('Tell people of what concerns them, in the notification centre and by pushes (in a process that runs jobs)'),
  VAPID_PUBLIC_KEY: z.string().min(80).optional().describe('The key by which push services know you, base64url; default: made once and kept in the database'),
  VAPID_PRIVATE_KEY: z.string().min(40).optional().describe('Its private half'),
  VAPID_SUBJECT: z.string().regex(/^(mailto:.+@.+|https:\/\/.+)$/, { message: 'expected mailto:… or https://…' }).optional().describe('How push services reach you; default: PUBLIC_URL where it is https, else the address of MAIL_FROM'),
  FCM_SERVICE_ACCOUNT: z.string().min(1).optional().describe('A JSON file with the key of a service account of Firebase, for pushes to Android and iOS; default: none'),
  FCM_URL: url(['http', 'https']).default('https://fcm.googleapis.com').describe('Where Firebase Cloud Messaging answers'),
  LEARNING: flag.default(true).describe('Learn anew every night who and what belongs together, where JOBS run; false: only when retrainModels asks for it'),
  CLUSTER_GROUPS_OWNER: z.string().min(3).optional().describe('The handle of whoever owns groups that a training makes of people who belong together; default: they are suggested, and the first who joins founds them'),
  ML_THREADS: count(1, 16).default(1).describe('Threads in which models are trained; each holds what it works on, up to 2 GiB'),
  BOTS: flag.default(true).describe('Have bots answer (in a process that runs jobs)'),
  ASSISTANT: flag.default(true).describe('Everybody finds the built-in assistant in a chat of its own (in a process that runs jobs)'),
  MODERATION: flag.default(true).describe('Look at messages of chats with rules also after they were sent: what rules flag, and what a model finds (in a process that runs jobs)'),
  LANGUAGE_PROVIDER: z.enum(['none', 'openai', 'anthropic']).default('none').describe('Who answers for bots: `openai` is any server that speaks its protocol (OpenAI, Azure, vLLM, llama.cpp, Ollama); `none`: the engine in the process, which quotes'),
  LANGUAGE_URL: url(['http', 'https']).optional().describe('Where that provider answers, as its own package wants it (OpenAI: with /v1); default: its public address'),
  LANGUAGE_KEY: z.string().min(1).optional().describe('The key that it wants; many servers of one’s own want none'),
  LANGUAGE_MODEL: z.string().min(1).optional().describe('The model that is asked; needed beside LANGUAGE_PROVIDER'),
  LANGUAGE_EMBEDDING_MODEL: z.string().min(1).optional().describe('The model that makes vectors of knowledge (openai); default: vectors are made of words, in the process'),
  LANGUAGE_TIMEOUT: count(1, 600).default(30).describe('Seconds of silence after which a request is given up'),
  LANGUAGE_PRICE_INPUT: z.coerce.number().min(0).max(10_000).default(0).describe('US dollars for a million tokens that are read, for accounts and limits'),
  LANGUAGE_PRICE_OUTPUT: z.coerce.number().min(0).max(10_000).default(0).describe('US dollars for a million tokens that are written'),
  BOT_COST_A_DAY: z.coerce.number().min(0).max(100_000).default(5).describe('US dollars that one bot may cost a day; past it the engine in the process answers'),
  JOBS: flag.default(true).describe('Run background jobs here (with WORKERS, in one of them)'),
});

export type Config = z.infer<typeof schema>;

const NEED_EACH_OTHER: (keyof Config)[][] = [['OIDC_JWKS_URL', 'OIDC_ISSUER', 'OIDC_AUDIENCE'], ['TURN_URLS', 'TURN_SECRET'], ['S3_BUCKET', 'S3_ACCESS_KEY', 'S3_SECRET_KEY'], ['VAPID_PUBLIC_KEY', 'VAPID_PRIVATE_KEY']];

/** Where the system spreads connections over the processes that listen on one port. */
const SHARES_PORTS = new Set(['linux', 'freebsd']);

/**
 * Reads the settings from an environment. An empty value counts as not set.
 * @throws ConfigError that names every wrong value at once.
 */
export function loadConfig(env: Record<string, string | undefined> = process.env): Config {
  const given = Object.fromEntries(Object.keys(schema.shape).map((name) => [name, env[name] === '' ? undefined : env[name]]));
  const parsed = schema.safeParse(given);
  const mistakes = parsed.success ? [] : parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  for (const group of NEED_EACH_OTHER) {
    const missing = group.filter((name) => given[name] === undefined);
    if (missing.length && missing.length < group.length) mistakes.push(...missing.map((name) => `  ${name}: needed beside ${group.filter((other) => !missing.includes(other)).join(', ')}`));
  }
  if ((given['LANGUAGE_PROVIDER'] ?? 'none') !== 'none' && given['LANGUAGE_MODEL'] === undefined) mistakes.push(`  LANGUAGE_MODEL: needed beside LANGUAGE_PROVIDER=${given['LANGUAGE_PROVIDER']}`);
  if (given['LANGUAGE_PROVIDER'] === 'anthropic' && given['LANGUAGE_KEY'] === undefined) mistakes.push('  LANGUAGE_KEY: needed beside LANGUAGE_PROVIDER=anthropic');
  if (given['PERSISTED_ONLY'] === 'true' && given['PERSISTED_OPERATIONS'] === undefined) mistakes.push('  PERSISTED_OPERATIONS: needed beside PERSISTED_ONLY=true');
  if (Number(given['WORKERS']) > 1 && given['REDIS_URL'] === undefined) mistakes.push(`  REDIS_URL: needed beside WORKERS=${given['WORKERS']}`);
  if (Number(given['WORKERS']) > 1 && !SHARES_PORTS.has(process.platform)) mistakes.push(`  WORKERS: several processes can't share a port on ${process.platform}`);
  if (given['DATABASE_REPLICAS'] !== undefined && given['DATABASE_URL'] === undefined) mistakes.push('  DATABASE_URL: needed beside DATABASE_REPLICAS');
  for (const name of ['REDIS_SENTINELS', 'REDIS_NODES']) if (given[name] !== undefined && given['REDIS_URL'] === undefined) mistakes.push(`  REDIS_URL: needed beside ${name}`);
  if (given['REDIS_SENTINELS'] !== undefined && given['REDIS_NODES'] !== undefined) mistakes.push('  REDIS_NODES: not beside REDIS_SENTINELS');
  if (mistakes.length || !parsed.success) throw new ConfigError(`These settings are wrong:\n${mistakes.join('\n')}`);
  return parsed.data;
}

/** Where Redis is; null where there is none. */
export const redisOf = ({ REDIS_URL: url, REDIS_SENTINELS: sentinels, REDIS_MASTER: master, REDIS_NODES: nodes }: Config) => (url === undefined ? null : { url, sentinels, master, nodes });

/** The port of files: beside that of the API, unless it is set. */
export const filesPortOf = ({ FILES_PORT, PORT }: Pick<Config, 'FILES_PORT' | 'PORT'>): number => FILES_PORT ?? (PORT && PORT + 1);

/** The environment with other settings in it, for a process that is started with them. */
export const withSettings = (settings: Partial<Record<keyof Config, string>>): NodeJS.ProcessEnv => ({ ...process.env, ...settings });

/** As it would stand in the environment. */
const written = (value: unknown): string => {
  if (value instanceof Map) return [...(value as Map<string, number>)].map((pair) => pair.join(':')).join(',');
  return typeof value === 'object' && value !== null && 'min' in value ? Object.values(value).join('-') : String(value);
};

/** Name, default and meaning of every setting, for the documentation. */
export function describeSettings(): { name: string; fallback: string; meaning: string }[] {
  return Object.entries(schema.shape).map(([name, field]) => {
    const fallback = field.safeParse(undefined);
    return { name, fallback: fallback.success && fallback.data !== undefined ? written(fallback.data) : '', meaning: field.description ?? '' };
  });
}
