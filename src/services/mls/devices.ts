import type { Sql } from '../../db/database.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import { userStream } from '../../events/catalogue.js';
import type { Clock } from '../../lib/clock.js';
import { DomainError, invalidInput, notFound } from '../../lib/errors.js';
import { distinct } from '../../lib/validate.js';
import { assertCanRead } from '../../policies/chat-policy.js';
import type { Actor } from '../actor.js';
import { readChatAccess } from '../chat-access.js';
import { DEVICE_COLUMNS, type DeviceRow } from '../loaders/mls.js';
import { tellOfDevices } from './device-ends.js';
import { identityOf, readInput } from './names.js';

const MAX_PACKAGE_BYTES = 8 * 1024;
const MAX_UPLOADED = 100;
/** That one device keeps for others to claim. */
const MAX_KEPT = 200;
/** With fewer left, a device is told to send more. */
const LOW = 10;
const MAX_CLAIMED_AT_ONCE = 100;
/** By one device, and not used. */
const MAX_CLAIMED_AN_HOUR = 1_000;
const HOUR_MS = 3_600_000;

export interface NewKeyPackages {
  keyPackages: readonly Buffer[];
  lastResort: Buffer | null;
}
interface CheckedPackage {
  ref: Buffer;
  content: Buffer;
  expiresAt: Date;
  signatureKey: Buffer;
}
export interface ClaimedPackage {
  deviceId: string;
  package: Buffer;
  lastResort: boolean;
}

/** The devices of people: sessions with an identity of their own, and the key packages by which others let them into encrypted chats. */
export class DeviceService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Gives the session that asks an identity: the signature key of its key packages, which these prove that it holds. Again with the same key: adds the packages.
   * Errors: INVALID_INPUT, STATE_CONFLICT (it has another key), LIMIT_REACHED, FORBIDDEN (a session of an app).
   */
  async register(actor: Actor, input: NewKeyPackages): Promise<DeviceRow> {
    if (actor.appId) throw new DomainError('FORBIDDEN', 'Apps hold no devices.');
    const packages = checked(actor, input, this.clock.now());
    const [{ signatureKey }] = packages.all as [CheckedPackage];
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'registerDevice' }, async (tx) => {
      const made = await tx.sql('insert into mls_devices (session_id, user_id, signature_key, created_at) values ($1, $2, $3, $4) on conflict do nothing returning session_id', [actor.sessionId, actor.userId, signatureKey, tx.now]);
      await this.#add(tx, actor, packages);
      if (made.length) await tellOfDevices(tx, actor.userId);
    });
    return this.#read(actor.sessionId);
  }

  /** Errors: NOT_FOUND (not registered), INVALID_INPUT, STATE_CONFLICT (another key), LIMIT_REACHED. */
  async upload(actor: Actor, input: NewKeyPackages): Promise<DeviceRow> {
    const packages = checked(actor, input, this.clock.now());
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'uploadKeyPackages' }, async (tx) => {
      const [usable] = await tx.sql('select from mls_key_packages where device_id = $1 and expires_at > $2 and (last_resort or claimed_by is null) limit 1', [actor.sessionId, tx.now]);
      await this.#add(tx, actor, packages);
      // Whoever could not let it in can now.
      if (!usable) await tellOfDevices(tx, actor.userId);
    });
    return this.#read(actor.sessionId);
  }

  async #add(tx: Tx, { sessionId }: Actor, { once, lastResort, all }: ReturnType<typeof checked>): Promise<void> {
    const [device] = await tx.sql<{ signature_key: Buffer }>('select signature_key from mls_devices where session_id = $1 and ended_at is null for no key update', [sessionId]);
    if (!device) throw notFound('device');
    if (!all.every((one) => one.signatureKey.equals(device.signature_key))) throw new DomainError('STATE_CONFLICT', 'This device has another signature key: a new one takes a new session.', { field: 'keyPackages' });
    if (lastResort) await tx.sql('delete from mls_key_packages where device_id = $1 and last_resort', [sessionId]);
    await tx.sql(
      `insert into mls_key_packages (device_id, ref, package, last_resort, expires_at, created_at)
       select $1::uuid, p.*, $6::timestamptz from unnest($2::bytea[], $3::bytea[], $4::boolean[], $5::timestamptz[]) p on conflict do nothing`,
      [sessionId, all.map((one) => one.ref), all.map((one) => one.content), all.map((one) => one === lastResort), all.map((one) => one.expiresAt), tx.now],
    );
    if (once.length && (await left(tx.sql, sessionId, tx.now)) > MAX_KEPT) throw new DomainError('LIMIT_REACHED', `At most ${MAX_KEPT} key packages of a device are kept.`, { field: 'keyPackages' });
  }

  /** How many key packages of a device are left for others, its last resort aside. */
  left(deviceId: string): Promise<number> {
    return left(this.sql, deviceId, this.clock.now());
  }

  /**
   * Takes one key package of each of these devices, to let them into a chat. Nobody else gets it; the same device asking again for the same chat does, until it is used, so that a lost
   * answer or a commit that came too late costs none. Where none is left it is the last resort, if there is one; devices without any are left out.
   * Errors: NOT_FOUND (chat, a device of a member), FORBIDDEN (the one who asks has no device), STATE_CONFLICT (not encrypted), BLOCKED, RATE_LIMITED.
   */
  claim(actor: Actor, chatId: string, deviceIds: readonly string[]): Promise<ClaimedPackage[]> {
    const wanted = distinct(deviceIds, 'deviceIds', MAX_CLAIMED_AT_ONCE);
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'claimKeyPackages' }, async (tx) => {
      const access = await readChatAccess(tx.sql, chatId, actor.userId);
      assertCanRead(access);
      if (access.blocked) throw new DomainError('BLOCKED', 'One of you has blocked the other.');
      if (access.chat.encryption !== 'MLS') throw new DomainError('STATE_CONFLICT', 'This chat is not end-to-end encrypted.');
      await assertIsDevice(tx, actor);
      const owners = await tx.sql<{ id: string; userId: string }>(
        `select d.session_id as id, d.user_id as "userId" from mls_devices d join chat_members m on m.chat_id = $2 and m.user_id = d.user_id
         where d.session_id = any($1) and d.ended_at is null order by d.session_id for no key update of d`,
        [wanted, chatId],
      );
      if (owners.length < wanted.length) throw new DomainError('NOT_FOUND', 'There is no such device of a member.', { field: 'deviceIds' });
      return this.#take(tx, actor, chatId, owners);
    });
  }

  async #take(tx: Tx, actor: Actor, chatId: string, owners: { id: string; userId: string }[]): Promise<ClaimedPackage[]> {
    const ids = owners.map(({ id }) => id);
    const held = await tx.sql<ClaimedPackage>(
      'select device_id as "deviceId", package, false as "lastResort" from mls_key_packages where device_id = any($1) and claimed_chat = $2 and claimed_by = $3 and expires_at > $4',
      [ids, chatId, actor.sessionId, tx.now],
    );
    const missing = ids.filter((id) => !held.some(({ deviceId }) => deviceId === id));
    const [{ n }] = (await tx.sql<{ n: number }>('select count(*)::int as n from mls_key_packages where claimed_by = $1 and claimed_at > $2', [actor.sessionId, new Date(tx.now.getTime() - HOUR_MS)])) as [{ n: number }];
    if (missing.length && n + missing.length > MAX_CLAIMED_AN_HOUR) throw new DomainError('RATE_LIMITED', 'Too many key packages were claimed in too short a time.', { retryAfter: HOUR_MS / 1000 });
    // One that this device has claimed here and let run out makes room for the next.
    await tx.sql('delete from mls_key_packages where device_id = any($1) and claimed_chat = $2 and claimed_by = $3 and expires_at <= $4', [missing, chatId, actor.sessionId, tx.now]);
    const taken = await tx.sql<ClaimedPackage & { left: number }>(
      `update mls_key_packages k set claimed_by = $2, claimed_chat = $3, claimed_at = $4
       from unnest($1::uuid[]) w(id) cross join lateral (
         select ref from mls_key_packages p where p.device_id = w.id and p.claimed_by is null and not p.last_resort and p.expires_at > $4 order by p.expires_at, p.ref limit 1) pick
       where k.device_id = w.id and k.ref = pick.ref
       returning k.device_id as "deviceId", k.package, false as "lastResort",
         (select count(*)::int from mls_key_packages p where p.device_id = k.device_id and p.claimed_by is null and not p.last_resort and p.expires_at > $4) - 1 as left`,
      [missing, actor.sessionId, chatId, tx.now],
    );
    const empty = missing.filter((id) => !taken.some(({ deviceId }) => deviceId === id));
    const resorts = await tx.sql<ClaimedPackage>('select device_id as "deviceId", package, true as "lastResort" from mls_key_packages where device_id = any($1) and last_resort and expires_at > $2', [empty, tx.now]);
    for (const { deviceId } of [...taken.filter((one) => one.left < LOW), ...resorts]) tx.append(userStream(owners.find(({ id }) => id === deviceId)!.userId), { kind: 'keypackages.low', deviceId });
    return [...held, ...taken, ...resorts].map(({ deviceId, package: content, lastResort }) => ({ deviceId, package: content, lastResort }));
  }

  /** The device of the session that asks, if it has registered. */
  async own(actor: Actor): Promise<DeviceRow | null> {
    const [row] = await this.sql<DeviceRow>(`select ${DEVICE_COLUMNS} from mls_devices d left join sessions s on s.id = d.session_id where d.session_id = $1`, [actor.sessionId]);
    return row ?? null;
  }

  async #read(id: string): Promise<DeviceRow> {
    const [row] = await this.sql<DeviceRow>(`select ${DEVICE_COLUMNS} from mls_devices d left join sessions s on s.id = d.session_id where d.session_id = $1`, [id]);
    return row!;
  }
}

/** Throws `FORBIDDEN` for a session that has not registered as a device. */
export async function assertIsDevice(tx: Tx, actor: Actor): Promise<void> {
  const [own] = await tx.sql('select from mls_devices where session_id = $1 and ended_at is null', [actor.sessionId]);
  if (!own) throw new DomainError('FORBIDDEN', 'This session is no device yet: register it first.');
}

async function left(sql: Sql, deviceId: string, now: Date): Promise<number> {
  const [row] = await sql<{ n: number }>('select count(*)::int as n from mls_key_packages where device_id = $1 and claimed_by is null and not last_resort and expires_at > $2', [deviceId, now]);
  return row!.n;
}

/** Each is signed by the key that it names, and names the session that gives it: so nobody registers another's key, nor under another's name. */
function checked(actor: Actor, { keyPackages, lastResort }: NewKeyPackages, now: Date): { once: CheckedPackage[]; lastResort: CheckedPackage | null; all: CheckedPackage[] } {
  if (keyPackages.length > MAX_UPLOADED) throw invalidInput('keyPackages', `keyPackages holds more than ${MAX_UPLOADED} items.`);
  const identity = identityOf(actor.userId, actor.sessionId);
  const check = (content: Buffer, field: string): CheckedPackage => {
    const found = readInput(content, field, MAX_PACKAGE_BYTES, 'keyPackage');
    if (found.identity !== identity) throw invalidInput(field, `The credential of this device says ${identity}.`);
    if (!found.signed) throw invalidInput(field, 'A key package is not signed by the key that it names.');
    if (found.notAfter <= now) throw invalidInput(field, 'A key package has run out.');
    return { ref: found.ref, content, expiresAt: found.notAfter, signatureKey: found.signatureKey };
  };
  const once = keyPackages.map((one) => check(one, 'keyPackages'));
  const last = lastResort && check(lastResort, 'lastResortKeyPackage');
  const all = last ? [...once, last] : once;
  if (!all.length) throw invalidInput('keyPackages', 'keyPackages is empty.');
  if (!all.every((one) => one.signatureKey.equals(all[0]!.signatureKey))) throw invalidInput('keyPackages', 'The key packages of a device have one signature key.');
  return { once, lastResort: last, all };
}
