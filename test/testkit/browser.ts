import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium, type Browser, type Page } from 'playwright-core';

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

/** Browsers with a camera and a microphone that are not there, on a page of an origin of its own. */
export class Browsers {
  readonly complaints: string[] = [];
  readonly #browsers: Browser[] = [];

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

  /** A page in a browser of its own. */
  async page(path = '/'): Promise<Page> {
    const browser = await chromium.launch({ executablePath: this.chromium, args: FLAGS });
    this.#browsers.push(browser);
    const page = await (await browser.newContext({ permissions: ['camera', 'microphone'] })).newPage();
    page.on('pageerror', (error) => void this.complaints.push(error.message));
    await page.goto(new URL(path, this.origin).href);
    return page;
  }

  /** Ends the browsers; pages can be had again. */
  async closePages(): Promise<void> {
    await Promise.all(this.#browsers.splice(0).map((browser) => browser.close()));
  }

  async stop(): Promise<void> {
    await this.closePages();
    this.files?.close();
  }
}
