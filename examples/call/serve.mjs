// Bundles the page and serves it: `node examples/call/serve.mjs [port]`.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const file = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Resolves with the server, once it listens on loopback; a port of 0 picks a free one. */
export async function serveExample(port) {
  const bundle = await build({ entryPoints: [file('page.js')], bundle: true, write: false, format: 'iife', platform: 'browser', target: 'es2022', sourcemap: 'inline', logLevel: 'warning' });
  const pages = {
    '/': { type: 'text/html; charset=utf-8', body: await readFile(file('index.html')) },
    '/page.js': { type: 'text/javascript; charset=utf-8', body: bundle.outputFiles[0].contents },
  };
  const server = createServer((request, response) => {
    const page = pages[new URL(request.url, 'http://localhost').pathname];
    if (page) response.writeHead(200, { 'content-type': page.type }).end(page.body);
    else response.writeHead(404).end();
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return server;
}

if (process.argv[1] === file('serve.mjs')) {
  const server = await serveExample(Number(process.argv[2] ?? 4100));
  const origin = `http://127.0.0.1:${server.address().port}`;
  console.log(`The page is at ${origin} . It calls http://127.0.0.1:4000/graphql (or ?api=…), which must allow it: CORS_ORIGINS=${origin} npm start`);
}
