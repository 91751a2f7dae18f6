import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { OAuthError, TICKET_GRANT, type OAuthService } from '../services/apps/oauth.js';
import { SCOPES } from '../policies/scopes.js';
import { DomainError } from '../lib/errors.js';
import type { ErrorMapper } from './errors.js';

const MAX_FORM_BYTES = 16_384;

export interface OAuthRouteDeps {
  oauth: OAuthService;
  errors: ErrorMapper;
  /** The app in which people say yes, and where clients reach this API; null where the settings do not say. */
  publicUrl: string | null;
  apiUrl: string | null;
  limit(address: string): Promise<void>;
}

/** `/oauth/token`, `/oauth/revoke`, `/oauth/introspect`, and what describes them (RFC 8414). In a scope of its own: forms are read nowhere else. */
export async function addOAuth(fastify: FastifyInstance, { oauth, errors, publicUrl, apiUrl, limit }: OAuthRouteDeps): Promise<void> {
  const known = apiUrl?.replace(/\/+$/, '');
  /** What this server is called in what it describes and in tickets: as the operator says, else how whoever asks has reached it. */
  const issuerOf = (request: FastifyRequest): string => known ?? `${request.protocol}://${request.host}`;
  await fastify.register(async (scope) => {
    scope.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: MAX_FORM_BYTES }, (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(body as string))));
    const endpoint = (path: string, work: (form: Record<string, string>, basic: ReturnType<typeof basicOf>, issuer: string) => Promise<object>) =>
      scope.post(path, async (request, reply) => {
        void reply.header('cache-control', 'no-store');
        try {
          await limit(request.ip);
          const form = request.body;
          if (typeof form !== 'object' || form === null || !/^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? '')) throw new OAuthError('invalid_request', 'Send a form.');
          return await work(form as Record<string, string>, basicOf(request), issuerOf(request));
        } catch (error) {
          return refuse(reply, error as Error, errors);
        }
      });
    endpoint('/oauth/token', (form, basic, issuer) => oauth.token(form, basic, [issuer, `${issuer}/oauth/token`]));
    endpoint('/oauth/introspect', (form, basic) => oauth.introspect(form, basic));
    endpoint('/oauth/revoke', async (form, basic) => {
      await oauth.revoke(form, basic);
      return {};
    });
    scope.get('/.well-known/oauth-authorization-server', (request) => {
      const issuer = issuerOf(request);
      return {
        issuer, token_endpoint: `${issuer}/oauth/token`, revocation_endpoint: `${issuer}/oauth/revoke`, introspection_endpoint: `${issuer}/oauth/introspect`, authorization_endpoint: `${publicUrl ?? issuer}/authorize`, response_types_supported: ['code'], code_challenge_methods_supported: ['S256'],
        grant_types_supported: ['authorization_code', 'client_credentials', 'refresh_token', TICKET_GRANT], token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
        revocation_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'], introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'], scopes_supported: SCOPES,
      };
    });
  });
}

function refuse(reply: FastifyReply, error: Error, errors: ErrorMapper): FastifyReply {
  if (error instanceof OAuthError) {
    if (error.code === 'invalid_client') void reply.header('www-authenticate', 'Basic realm="oauth"');
    return reply.code(error.code === 'invalid_client' ? 401 : 400).send({ error: error.code, error_description: error.message });
  }
  const { extensions, message } = errors.map(error);
  const passing = error instanceof DomainError && error.code === 'RATE_LIMITED';
  if (passing && error.details.retryAfter !== undefined) void reply.header('retry-after', String(error.details.retryAfter));
  return reply.code(passing ? 429 : 500).send({ error: passing ? 'temporarily_unavailable' : 'server_error', error_description: `${String(extensions?.['code'])}: ${message}` });
}

/** `Authorization: Basic`, whose parts are form-encoded (RFC 6749, 2.3.1). */
function basicOf(request: FastifyRequest): { id: string; secret: string } | null {
  const match = /^Basic ([\w+/=]{1,1024})$/i.exec(request.headers.authorization ?? '');
  if (!match) return null;
  const [id = '', ...rest] = Buffer.from(match[1]!, 'base64').toString().split(':');
  const read = (text: string) => new URLSearchParams(`x=${text}`).get('x') ?? '';
  return { id: read(id), secret: read(rest.join(':')) };
}
