// The import laws of docs/ARCHITECTURE.md as one lint rule. A rule of our own, because the laws fit one table: which folder may import
// which folder (perhaps for its types only), and which packages have a home.
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const WORLDS = ['language', 'storage', 'payments', 'news', 'push', 'webhooks', 'messaging'];
const UNDER_SERVICES = ['policies', 'entities', 'db', 'events', 'media', 'ml', 'outbound', ...WORLDS];

/**
 * server → resolvers → services → { policies, entities, db, events, media, … } → lib; jobs → services. Each folder may import itself and
 * what its row names; `typesOf` names folders (or config, or the container) whose types alone it may import.
 */
const LAYERS = {
  lib: { from: [] },
  entities: { from: ['lib'] },
  policies: { from: ['lib'], typesOf: ['entities'] },
  // The unit of work appends to the log, and the log writes through the database: one room with two doors.
  db: { from: ['entities', 'events', 'lib'] },
  events: { from: ['db', 'entities', 'lib'] },
  media: { from: ['lib'] },
  ml: { from: ['lib'] },
  outbound: { from: ['lib'] },
  ...Object.fromEntries(WORLDS.map((world) => [world, { from: ['outbound', 'lib'] }])),
  services: { from: [...UNDER_SERVICES, 'lib'], typesOf: ['config'] },
  jobs: { from: ['services', ...UNDER_SERVICES, 'lib'], typesOf: ['config'] },
  // One edge in two folders: what it looks like, and what it does.
  schema: { from: ['resolvers', 'entities', 'policies', 'events', 'lib'], typesOf: ['services', 'config'] },
  resolvers: { from: ['schema', 'services', ...UNDER_SERVICES, 'lib'], typesOf: ['config'] },
  server: { from: ['resolvers', 'schema', 'services', ...UNDER_SERVICES, 'lib'], typesOf: ['config', 'container'] },
};

/** Packages that only some folders may touch. */
const PACKAGES = [
  {
    // Redis before GraphQL: graphql-redis-subscriptions is the bus's.
    test: /^(ioredis|graphql-redis-subscriptions|rate-limiter-flexible)(\/|$)/,
    homes: ['events', 'server/limits'],
    why: 'only events/ and server/limits touch Redis',
  },
  {
    test: /^(graphql|type-graphql|graphql-[^/]*|@apollo\/[^/]*|@as-integrations\/[^/]*)(\/|$)/,
    homes: ['schema', 'resolvers', 'server'],
    why: 'GraphQL stays at the edge: schema/, resolvers/ and server/',
  },
  {
    test: /^mediasoup(\/|$)/,
    homes: ['media'],
    why: 'the rest of the server asks media by its contract, also of another process',
  },
  {
    test: /^(@tensorflow\/[^/]*|hnswlib-node)(\/|$)/,
    homes: ['ml'],
    why: 'learning stays in ml/, in threads of its own',
  },
  {
    test: /^undici(\/|$)/,
    homes: ['outbound'],
    why: 'what others have addressed is asked by outbound/, which can not be led into our network',
  },
  {
    test: /^(openai|@anthropic-ai\/[^/]*|minisearch|tinyld|sentiment)(\/|$)/,
    homes: ['language'],
    why: 'models and what knows of words are asked by language/',
  },
  {
    test: /^web-push(\/|$)/,
    homes: ['push'],
    why: 'pushes leave by push/',
  },
  {
    test: /^@opentelemetry\//,
    homes: ['server'],
    why: 'traces are made by server/tracing.ts; others know lib/spans.ts'
  },
  {
    test: /^nodemailer(\/|$)/,
    homes: ['messaging'],
    why: 'mails leave by messaging/',
  },
  {
    test: /^(sharp|file-type|blurhash|@aws-sdk\/[^/]*)(\/|$)/,
    homes: ['storage'],
    why: 'files are kept and looked at in storage/',
  },
  {
    test: /^typeorm(\/|$)/,
    homes: ['entities', 'db', 'events', 'services', 'jobs', 'server'],
    why: 'the edge, the policies, media and ml know no TypeORM',
  },
];

/** The path from the project's root, with forward slashes. */
const fromRoot = (file) => relative(ROOT, file).split(sep).join('/');

/** The layer of a path under src/: its folder, or `config` and the like for a file that stands there by itself. */
function layerOf(path) {
  const [top, first] = path.split('/');
  return top === 'src' ? first?.replace(/\.[jt]s$/, '') : undefined;
}

/** What is wrong with this import, or undefined. */
function objection(path, specifier, typeOnly) {
  const isRelative = specifier.startsWith('.');
  const target = isRelative ? fromRoot(join(ROOT, dirname(path), specifier)) : undefined;
  if (path.startsWith('sdk/')) {
    return target?.startsWith('src/') ? 'The SDK is what a client installs: it imports nothing of src/.' : undefined;
  }
  const layer = layerOf(path);
  const law = LAYERS[layer];
  // container.ts, main.ts and config.ts belong to no layer: they put the layers together.
  if (!law) return undefined;
  if (!isRelative) {
    const rule = PACKAGES.find(({ test }) => test.test(specifier));
    const inside = path.slice('src/'.length);
    const atHome = rule?.homes.some((home) => inside === `${home}.ts` || inside.startsWith(`${home}/`));
    return rule && !atHome ? `${specifier} has no place in src/${layer}: ${rule.why}.` : undefined;
  }
  const to = layerOf(target);
  if (to === undefined || to === layer || law.from.includes(to)) return undefined;
  if (law.typesOf?.includes(to)) {
    return typeOnly ? undefined : `src/${layer} may import the types of ${to} only: use \`import type\`.`;
  }
  return `src/${layer} must not import ${to}. It may import: ${[...law.from, ...(law.typesOf ?? []).map((name) => `${name} (types)`)].join(', ') || 'nothing'}.`;
}

const isTypeOnly = (node) =>
  node.importKind === 'type' ||
  node.exportKind === 'type' ||
  (node.specifiers?.length > 0 && node.specifiers.every((one) => one.importKind === 'type' || one.exportKind === 'type'));

export const houseImports = {
  meta: { type: 'problem', schema: [], docs: { description: 'the import laws of docs/ARCHITECTURE.md' } },
  create(context) {
    const path = fromRoot(context.filename);
    const check = (node, source, typeOnly) => {
      if (typeof source?.value !== 'string') return;
      const message = objection(path, source.value, typeOnly);
      if (message) context.report({ node, message });
    };
    return {
      ImportDeclaration: (node) => check(node, node.source, isTypeOnly(node)),
      ExportNamedDeclaration: (node) => check(node, node.source, isTypeOnly(node)),
      ExportAllDeclaration: (node) => check(node, node.source, isTypeOnly(node)),
      ImportExpression: (node) => check(node, node.source, false),
      TSImportType: (node) => check(node, node.source ?? node.argument?.literal, true),
    };
  },
};
