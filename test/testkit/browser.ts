import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FLAGS = [
  '--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run',
  '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--autoplay-policy=no-user-gesture-required', '--allow-loopback-in-peer-connection',
];

/** One script for a browser, from TypeScript that imports what it likes. */
export async function bundle(contents: string): Promise<string> {
  const result = await build({ stdin: { contents, resolveDir: ROOT, loader: 'ts' }, bundle: true, write: false, format: 'iife', platform: 'browser', target: 'es2022', logLevel: 'silent' });
  return result.outputFiles[0]!.text;
}

/** How many processes of Chromium share the pages of a spec: two people are in two. */
const MOST_BROWSERS = 2;

/** Browsers with a camera and a microphone that are not there, on a page of an origin of its own. */
export class Browsers {
  readonly complaints: string[] = [];
  readonly #browsers: Promise<Browser>[] = [];
  readonly #contexts: BrowserContext[] = [];
  #pages = 0;

  private constructor(
    private readonly files: Server | null,
    readonly origin: string,
    private readonly chromium: string,
  ) {}

  static async start(script: string, chromium = process.env['TEST_CHROMIUM']!): Promise<Browsers> {
    const files = createServer((request, response) => {
      const isScript = request.url === '/script.js';
      response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' }).end(isScript ? script : '<!doctype html><meta charset="utf-8"><script src="/script.js"></script>');
    }).listen(0, '127.0.0.1');
    await once(files, 'listening');
    return new Browsers(files, `http://127.0.0.1:${(files.address() as AddressInfo).port}`, chromium);
  }

  /** Browsers for pages that somebody else serves. */
  static at(origin: string): Browsers {
    return new Browsers(null, origin, process.env['TEST_CHROMIUM']!);
  }

  /** A page with a profile and a network of its own; one after the other they are in different browsers. */
  async page(path = '/'): Promise<Page> {
    const turn = this.#pages++ % MOST_BROWSERS;
    const browser = await (this.#browsers[turn] ??= chromium.launch({ executablePath: this.chromium, args: FLAGS }));
    const context = await browser.newContext({ permissions: ['camera', 'microphone'] });
    this.#contexts.push(context);
    const page = await context.newPage();
    page.on('pageerror', (error) => void this.complaints.push(error.message));
    await page.goto(new URL(path, this.origin).href);
    return page;
  }

  /** Closes all pages; others can be had, in the same browsers. */
  async closePages(): Promise<void> {
    await Promise.all(this.#contexts.splice(0).map((context) => context.close()));
    this.#pages = 0;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#browsers.splice(0).map(async (browser) => (await browser).close()));
    this.files?.close();
  }
}
