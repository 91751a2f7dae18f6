import { createHash, ECDH } from 'node:crypto';
import type { Sql } from '../../db/database.js';
import { emptyPage, pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import type { PushProvider } from '../../entities/notification.js';
import { invalidInput, notFound } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { cleanUrl } from '../../lib/validate.js';
import type { Actor } from '../actor.js';

const MAX_TOKEN = 4_096;

export interface RegisterDevice {
  webPush?: { endpoint: string; p256dh: string; auth: string } | null;
  fcm?: { token: string } | null;
}

export interface PushDeviceRow {
  id: string;
  sessionId: string;
  provider: PushProvider;
  createdAt: Date;
}
const COLUMNS = 'd.id, d.session_id as "sessionId", d.provider, d.created_at as "createdAt"';

/** Where the devices of people are reached: one place a session, which ends with it. */
export class PushDeviceService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly offered: readonly PushProvider[],
  ) {}

  /**
   * The device of this session is reached there from now on, and nowhere else. A place that another session had is this one's now: whoever signs in to a browser
   * that somebody else has used gets their pushes no more. Errors: INVALID_INPUT.
   */
  async register(actor: Actor, input: RegisterDevice): Promise<PushDeviceRow> {
    const { provider, address, p256dh, auth } = checked(input);
    if (!this.offered.includes(provider)) throw invalidInput(provider === 'FCM' ? 'fcm' : 'webPush', `This server does not push by ${provider}.`);
    const hash = createHash('sha256').update(address).digest();
    const { id } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'registerPushDevice' }, async (tx) => {
      // The session's row first: its end, and another registration of it, wait.
      const [session] = await tx.sql('select from sessions where id = $1 and ended_at is null for no key update', [actor.sessionId]);
      if (!session) throw notFound('session');
      const [same] = await tx.sql<{ id: string }>('select id from push_devices where session_id = $1 and address_hash = $2 and p256dh is not distinct from $3 and auth is not distinct from $4', [
        actor.sessionId, hash, p256dh, auth,
      ]);
      if (same) return same;
      await tx.sql('delete from push_devices where session_id = $1 or address_hash = $2', [actor.sessionId, hash]);
      const made = newId();
      await tx.sql('insert into push_devices (id, session_id, user_id, provider, address, address_hash, p256dh, auth, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)', [
        made, actor.sessionId, actor.userId, provider, address, hash, p256dh, auth, tx.now,
      ]);
      return { id: made };
    });
    const [row] = await this.sql<PushDeviceRow>(`select ${COLUMNS} from push_devices d where d.id = $1`, [id]);
    if (!row) throw notFound('push device');
    return row;
  }

  /** Errors: NOT_FOUND (not one's own, or gone). */
  async unregister(actor: Actor, id: string): Promise<void> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'unregisterPushDevice' }, async (tx) => {
      const gone = await tx.sql('delete from push_devices where id = $1 and user_id = $2 returning 1', [id, actor.userId]);
      if (!gone.length) throw notFound('push device');
    });
  }

  /** The actor's own, the newest first. */
  async list(actor: Actor, args: PageArgs): Promise<Page<PushDeviceRow>> {
    const request = pageRequest(args, ['uuid']);
    if (!request.size) return emptyPage();
    const rows = await this.sql<PushDeviceRow>(
      `select ${COLUMNS} from push_devices d where d.user_id = $1 and d.id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff') order by d.id desc limit $3`,
      [actor.userId, request.from?.[0] ?? null, request.limit],
    );
    return toPage(rows, request, (row) => [row.id]);
  }
}

function checked({ webPush, fcm }: RegisterDevice): { provider: PushProvider; address: string; p256dh: string | null; auth: string | null } {
  if ((webPush == null) === (fcm == null)) throw invalidInput('webPush', 'Either webPush or fcm is given.');
  if (fcm != null) {
    if (!/^[\x21-\x7e]+$/.test(fcm.token) || fcm.token.length > MAX_TOKEN) throw invalidInput('fcm.token', 'token is no registration token.');
    return { provider: 'FCM', address: fcm.token, p256dh: null, auth: null };
  }
  const endpoint = new URL(cleanUrl(webPush!.endpoint, 'webPush.endpoint'));
  endpoint.hash = '';
  const p256dh = bytesOf(webPush!.p256dh);
  if (!p256dh || !isPoint(p256dh)) throw invalidInput('webPush.p256dh', 'p256dh is a public key of P-256, uncompressed, in base64url.');
  const auth = bytesOf(webPush!.auth);
  if (auth?.length !== 16) throw invalidInput('webPush.auth', 'auth is 16 bytes in base64url.');
  return { provider: 'WEB_PUSH', address: endpoint.href, p256dh: p256dh.toString('base64url'), auth: auth.toString('base64url') };
}

const bytesOf = (text: string): Buffer | null => (/^[A-Za-z0-9_+/-]{1,128}={0,2}$/.test(text) ? Buffer.from(text, 'base64url') : null);

/** On the curve, and not only of the right length: what can't be encrypted for is found out now. */
function isPoint(bytes: Buffer): boolean {
  if (bytes.length !== 65 || bytes[0] !== 4) return false;
  try {
    ECDH.convertKey(bytes, 'prime256v1');
    return true;
  } catch {
    return false;
  }
}
