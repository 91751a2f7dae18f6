import type { FastifyInstance } from 'fastify';
import type { Clock } from '../lib/clock.js';

const DAY_MS = 86_400_000;
/** Under a year, as RFC 9116 asks: it is written anew each time, so what counts is whether the place still stands. */
const GOOD_FOR_DAYS = 90;

/** `/.well-known/security.txt`: whom to tell of a hole (RFC 9116). */
export function addSecurityTxt(fastify: FastifyInstance, contact: string, clock: Clock): void {
  fastify.get('/.well-known/security.txt', (_request, reply) => {
    // By the day, so that a copy of an hour ago says the same.
    const expires = new Date((Math.floor(clock.now().getTime() / DAY_MS) + GOOD_FOR_DAYS) * DAY_MS);
    return reply.type('text/plain; charset=utf-8').send(`Contact: ${contact}\nExpires: ${expires.toISOString()}\n`);
  });
}
