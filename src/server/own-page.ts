import { randomBytes } from 'node:crypto';
import type { FastifyInstance } from 'fastify';

export interface OwnPage {
  title: string;
  style: string;
  /** What it shows; it holds nothing of anybody's itself: its script asks the API, which decides who may see what. */
  body: string;
  script: string;
}

/** Serves a page of ours. Nothing is fetched from elsewhere, nothing runs but its one script, and nobody frames it. */
export function servePage(fastify: FastifyInstance, path: string, page: OwnPage): void {
  fastify.get(path, (_request, reply) => {
    const nonce = randomBytes(16).toString('base64');
    return reply.header('content-security-policy', contentSecurityPolicy(nonce)).header('cache-control', 'no-store').type('text/html; charset=utf-8').send(html(page, nonce));
  });
}

const contentSecurityPolicy = (nonce: string): string =>
  ["default-src 'none'", `script-src 'nonce-${nonce}'`, `style-src 'nonce-${nonce}'`, "connect-src 'self'", 'img-src data:', "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"].join('; ');

const html = ({ title, style, body, script }: OwnPage, nonce: string): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>OmniTalk: ${title}</title>
    <link rel="icon" href="data:,">
    <style nonce="${nonce}">${style}</style>
  </head>
  <body>
    <noscript>This page needs JavaScript.</noscript>
    ${body}
    <script nonce="${nonce}">${script}</script>
  </body>
</html>
`;
