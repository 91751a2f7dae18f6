import type { Sql } from '../../db/database.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import { DomainError, invalidInput } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { boundedInt, cleanText } from '../../lib/validate.js';
import { assertRunsCall } from '../../policies/call-policy.js';
import type { Actor } from '../actor.js';
import { depart, nobodyLeaves, type LockedCall } from './call-changes.js';
import { lockCall } from './call-access.js';
import { actorIdOf, callerOf, type CallCaller } from './caller.js';
import type { MediaRelease } from './media-release.js';
import type { AccessTokens } from '../tokens.js';

const MAX_NAME_BYTES = 128;
const MIN_SECONDS = 60;
const MAX_SECONDS = 86_400;
export const MAX_TOKENS = 100;

export interface CreateCallToken {
  callId: string;
  name: string;
  role: 'SPEAKER' | 'LISTENER';
  skipLobby: boolean;
  expiresIn: number;
  idempotencyKey: string;
}

export interface IssuedToken {
  id: string;
  token: string;
  expiresAt: Date;
}

/** Join tokens: each lets one guest without an account into one call, for a while. */
export class CallTokenService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly tokens: Pick<AccessTokens, 'signGuest'>,
    private readonly media: MediaRelease,
  ) {}

  /** Errors: NOT_FOUND, FORBIDDEN (not the host), STATE_CONFLICT (over), LIMIT_REACHED (100 a call), INVALID_INPUT. */
  async create(actor: Actor, input: CreateCallToken): Promise<IssuedToken> {
    const name = cleanText(input.name, { field: 'name', maxBytes: MAX_NAME_BYTES });
    boundedInt(input.expiresIn, 'expiresIn', MIN_SECONDS, MAX_SECONDS);
    if (input.role !== 'SPEAKER' && input.role !== 'LISTENER') throw invalidInput('role', 'A guest speaks or listens: the host has an account.');
    const caller = callerOf(actor, null)!;
    const { idempotencyKey, ...bound } = input;
    const { id } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'createCallToken', idempotencyKey, input: { ...bound, name } }, async (tx) => {
      assertRunsCall(await lockCall(tx.sql, input.callId, caller));
      const [made] = await tx.sql<{ n: number }>('select count(*)::int as n from call_tokens where call_id = $1 and revoked_at is null', [input.callId]);
      if (made!.n >= MAX_TOKENS) throw new DomainError('LIMIT_REACHED', `A call has at most ${MAX_TOKENS} join tokens.`);
      const tokenId = newId();
      await tx.sql('insert into call_tokens (id, call_id, created_by, name, role, skip_lobby, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8)', [
        tokenId, input.callId, actor.userId, name, input.role, input.skipLobby, tx.now, new Date(tx.now.getTime() + input.expiresIn * 1000),
      ]);
      return { id: tokenId };
    });
    const [row] = await this.sql<{ expiresAt: Date }>('select expires_at as "expiresAt" from call_tokens where id = $1', [id]);
    return { id, token: this.tokens.signGuest({ tokenId: id, callId: input.callId }, row!.expiresAt), expiresAt: row!.expiresAt };
  }

  /** Makes a token worthless, and takes its guest out of the call. Errors: NOT_FOUND, FORBIDDEN. */
  async revoke(caller: CallCaller, tokenId: string): Promise<void> {
    const [token] = await this.sql<{ callId: string }>('select call_id as "callId" from call_tokens where id = $1', [tokenId]);
    if (!token) throw noToken();
    const departure = await this.unitOfWork.run({ actorId: actorIdOf(caller), operation: 'revokeCallToken' }, async (tx) => {
      const access = await lockCall(tx.sql, token.callId, caller);
      if (!access?.seat && !access?.member) throw noToken();
      assertRunsCall(access);
      await tx.sql('update call_tokens set revoked_at = $2 where id = $1 and revoked_at is null', [tokenId, tx.now]);
      const [guest] = await tx.sql<{ id: string }>(`select id from call_participants where token_id = $1 and state in ('JOINED', 'WAITING')`, [tokenId]);
      const call = access.call as LockedCall;
      return guest ? depart(tx, call, guest.id, 'REMOVED', tx.now) : nobodyLeaves(call);
    });
    await this.media.release(departure);
  }
}

const noToken = (): DomainError => new DomainError('NOT_FOUND', 'There is no such token.', { field: 'tokenId' });
