import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { PAGE, STYLE } from './page.js';
import { SCRIPT } from './script.js';

/**
 * `/admin`: a page for those who run the place. It has nothing of anybody's: its script signs in and asks the API, which decides who may see what. Nothing is fetched from
 * elsewhere, and nothing runs but this script.
 */
export function addDashboard(fastify: FastifyInstance): void {
  fastify.get('/admin', (_request, reply) => {
    const nonce = randomBytes(16).toString('base64');
    return reply.header('content-security-policy', contentSecurityPolicy(nonce)).header('cache-control', 'no-store').type('text/html; charset=utf-8').send(html(nonce));
  });
}

const contentSecurityPolicy = (nonce: string): string =>
  ["default-src 'none'", `script-src 'nonce-${nonce}'`, `style-src 'nonce-${nonce}'`, "connect-src 'self'", 'img-src data:', "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"].join('; ');

const html = (nonce: string): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>OmniTalk: dashboard</title>
    <link rel="icon" href="data:,">
    <style nonce="${nonce}">${STYLE}</style>
  </head>
  <body>
    <noscript>The dashboard needs JavaScript.</noscript>
    ${PAGE}
    <script nonce="${nonce}">${SCRIPT}</script>
  </body>
</html>
`;
