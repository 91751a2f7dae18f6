import { createHash, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { BOOT_SCRIPT } from './boot.js';
import { EXAMPLE_TABS } from './examples.js';

const compress = promisify(gzip);
const expand = promisify(gunzip);

interface Asset {
  path: string;
  type: string;
  gzipped: Buffer;
}

const FOLDER = '/graphql/graphiql';
/** Where the package's page calls itself; before it stand its scripts. */
const PACKAGE_CALL = 'YogaGraphiQL.renderYogaGraphiQL(';
const A_YEAR = 31_536_000;

/** GraphiQL out of the package @graphql-yoga/render-graphiql: nothing is fetched from anywhere else. */
export class GraphiQL {
  #assets: Promise<{ script: Asset; style: Asset }> | null = null;

  constructor(fastify: FastifyInstance) {
    fastify.get(`${FOLDER}/:file`, async (request, reply) => {
      const asset = Object.values(await this.#load()).find(({ path }) => path === request.url);
      if (!asset) return reply.callNotFound();
      const zipped = /\bgzip\b/.test(String(request.headers['accept-encoding']));
      if (zipped) void reply.header('content-encoding', 'gzip');
      void reply.header('vary', 'accept-encoding').header('cache-control', `public, max-age=${A_YEAR}, immutable`);
      return reply.type(asset.type).send(zipped ? asset.gzipped : await expand(asset.gzipped));
    });
  }

  async page(_request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { script, style } = await this.#load();
    const nonce = randomBytes(16).toString('base64');
    return reply
      .header('content-security-policy', contentSecurityPolicy(nonce))
      .header('cache-control', 'no-store')
      .type('text/html; charset=utf-8')
      .send(html(script.path, style.path, nonce));
  }

  /** Read when somebody first opens the page: the package is 9 MB. */
  #load(): Promise<{ script: Asset; style: Asset }> {
    this.#assets ??= readPackage().catch((error: unknown) => {
      this.#assets = null;
      throw error;
    });
    return this.#assets;
  }
}

/** Takes the package's one page apart, so that browsers keep its scripts and a page's own script can be told by its nonce. */
async function readPackage(): Promise<{ script: Asset; style: Asset }> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const page = renderGraphiQL();
  const between = (start: string, end: number): string => page.slice(page.indexOf(start) + start.length, end);
  const call = page.lastIndexOf(PACKAGE_CALL);
  if (call < 0) throw new Error('@graphql-yoga/render-graphiql makes another page than it did: see GraphiQL.');
  const [script, style] = await Promise.all([
    asset('js', 'text/javascript; charset=utf-8', between('<script>', call)),
    asset('css', 'text/css; charset=utf-8', between('<style>', page.indexOf('</style>'))),
  ]);
  return { script, style };
}

async function asset(ending: string, type: string, content: string): Promise<Asset> {
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 16);
  return { path: `${FOLDER}/${hash}.${ending}`, type, gzipped: await compress(content) };
}

/** Scripts by nonce alone. The editor writes style elements and starts its workers from blobs. */
function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    "style-src 'self' 'unsafe-inline'",
    'worker-src blob:',
    "connect-src 'self'",
    'img-src data:',
    'font-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** A pressed tab gets the focus, takes its place of a wrong animation, and slips away under the pointer: the click is lost. */
const STILL_TABS = '.graphiql-tab { transform: none !important }';

const LOGO = '<svg viewBox="0 0 24 24" width="28" height="28" fill="none" stroke="currentColor" stroke-width="2"><path d="M4 5h16v11H11l-5 4v-4H4z"/></svg>';

/** The Headers stay out of the browser's storage unless its user asks for it in the settings: they hold tokens. */
const OPTIONS = { title: 'OmniTalk', logo: LOGO, defaultTabs: EXAMPLE_TABS, shouldPersistHeaders: false, showPersistHeadersSettings: true };

const html = (script: string, style: string, nonce: string): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>OmniTalk GraphiQL</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="${style}">
    <style>${STILL_TABS}</style>
  </head>
  <body id="body" class="no-focus-outline">
    <noscript>GraphiQL needs JavaScript.</noscript>
    <div id="root"></div>
    <script id="options" type="application/json" nonce="${nonce}">${JSON.stringify(OPTIONS).replaceAll('<', '\\u003c')}</script>
    <script nonce="${nonce}" src="${script}"></script>
    <script nonce="${nonce}">${BOOT_SCRIPT}</script>
  </body>
</html>
`;
