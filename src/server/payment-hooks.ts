import type { FastifyInstance } from 'fastify';
import { NotSigned } from '../payments/contract.js';
import type { PaymentHooks } from '../services/commerce/payment-hooks.js';
import { sendError } from './http.js';

const MAX_BYTES = 256 * 1024;

/** `POST /webhooks/payments/:provider`: what gateways tell by themselves, known by its signature over the bytes as they came. */
export async function addPaymentHooks(fastify: FastifyInstance, hooks: PaymentHooks): Promise<void> {
  await fastify.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_BYTES }, (_request, body, parsed) => parsed(null, body));
    scope.post<{ Params: { provider: string }; Body: Buffer | undefined }>('/webhooks/payments/:provider', async ({ params, body, headers }, reply) => {
      try {
        const known = await hooks.hear(params.provider, body ?? Buffer.alloc(0), headers);
        return known ? await reply.send({ received: true }) : sendError(reply, 404, 'NOT_FOUND', 'There is no such provider of payments.');
      } catch (error) {
        if (error instanceof NotSigned) return sendError(reply, 400, 'BAD_REQUEST', 'It is not signed as it should be.');
        throw error;
      }
    });
    done();
  });
}
