import type { Sql } from '../../db/database.js';
import { deleteAll } from '../../db/delete-all.js';
import type { Tx } from '../../db/unit-of-work.js';
import type { NotificationKind } from '../../entities/notification.js';
import type { Clock } from '../../lib/clock.js';
import type { Logger } from '../../lib/logger.js';
import { contentOf, defaultLevel, judgePush, LIVE_FOR_CERTAIN_MS, mayBePushed } from '../../policies/notification-policy.js';
import type { PushOutcome, PushSender } from '../../push/contract.js';
import type { Happening } from './happenings.js';
import { payloadOf } from './push-content.js';
import { readPushes, type DuePush } from './push-facts.js';
import { asPreferences } from './preferences.js';

/** A burst is told at once, after so long; and what follows not before so long after the last. */
const GATHER_MS = 1_000;
const APART_MS = 15_000;
const TTL_SECONDS = 24 * 3_600;
/** As long as it rings. */
const CALL_TTL_SECONDS = 45;
/** What has been told is remembered for so long after nobody could be told of it any more, to keep the next apart from it. */
const FORGOTTEN_AFTER_MS = 3_600_000;
/** A process that took a push and says no more is taken for dead after so long. */
const CLAIM_SECONDS = 60;
const IN_FLIGHT = 32;
/** Of which so many to one push service that a client has named: a slow one leaves room for others. */
const EACH_HOST = 8;
const BUSY_MS = 1_000;
const RETRY_MS = 15_000;
const MAX_RETRY_MS = 3_600_000;

/** What waits is more than a message for all: it stays what is told. */
const MORE_PERSONAL = `(p.due_at is not null and p.kind in ('MENTION', 'REPLY', 'STATUS_REPLY') and excluded.kind like '%_MESSAGE')`;

const ttlOf = (kind: NotificationKind): number => (kind === 'INCOMING_CALL' ? CALL_TTL_SECONDS : TTL_SECONDS);

/** Pushes that are due, one for each device and thing to tell of, and their sending: at least once, later and later when it fails, until there is no point. */
export class PushQueue {
  static readonly DUE = 'exists (select from pushes where due_at <= $1)';

  readonly #sending = new Set<Promise<void>>();
  /** What has been taken and is not being sent yet. */
  readonly #taking = new Set<Promise<boolean>>();
  readonly #hosts = new Map<string, number>();
  /** Since the start of this process. */
  readonly figures = { sent: 0, dropped: 0, expired: 0, gone: 0, refused: 0, retried: 0 };

  constructor(
    private readonly sql: Sql,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly senders: Readonly<Record<'WEB_PUSH' | 'FCM', PushSender | null>>,
  ) {}

  /** Has the devices of these people told, soon. What a device waits to be told of the same thing already goes with it. */
  async note(tx: Tx, happenings: readonly Happening[]): Promise<void> {
    const notes = happenings.filter(({ at, kind }) => at.getTime() + ttlOf(kind) * 1000 > tx.now.getTime());
    if (!notes.length) return;
    const column = <Value>(pick: (happening: Happening) => Value) => notes.map(pick);
    const late = (ms: number) => new Date(tx.now.getTime() + ms);
    await tx.sql(
      `insert into pushes as p (device_id, slot, kind, chat_id, seq, actor_id, call_id, group_id, noted_at, due_at, expires_at)
       select distinct on (d.id, n.slot) d.id, n.slot, n.kind, n.chat_id, n.seq, n.actor_id, n.call_id, n.group_id, n.at, n.due, n.expires
       from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::int[], $6::uuid[], $7::uuid[], $8::uuid[], $9::timestamptz[], $10::timestamptz[], $11::timestamptz[])
         n(user_id, slot, kind, chat_id, seq, actor_id, call_id, group_id, at, due, expires)
       join push_devices d on d.user_id = n.user_id order by d.id, n.slot, n.at desc
       on conflict (device_id, slot) do update set
         kind = case when ${MORE_PERSONAL} then p.kind else excluded.kind end, seq = case when ${MORE_PERSONAL} then p.seq else excluded.seq end, actor_id = excluded.actor_id, noted_at = excluded.noted_at, expires_at = excluded.expires_at, version = p.version + 1, attempts = 0, looked_at = null,
         due_at = coalesce(p.due_at, greatest(excluded.due_at, p.sent_at + make_interval(secs => $12)))
       where (excluded.noted_at, coalesce(excluded.seq, 0)) > (p.noted_at, coalesce(p.seq, 0))`,
      [
        column((one) => one.userId), column((one) => one.slot), column((one) => one.kind), column((one) => one.chatId), column((one) => one.seq), column((one) => one.actorId),
        column((one) => one.callId), column((one) => one.groupId), column((one) => one.at), column(({ kind }) => late(kind === 'INCOMING_CALL' ? 0 : GATHER_MS)),
        column(({ at, kind }) => new Date(at.getTime() + ttlOf(kind) * 1000)), APART_MS / 1000,
      ],
    );
  }

  /** Begins to send what is due, as far as there is room. True when there may be more. */
  async sweep(): Promise<boolean> {
    const taking = this.#take();
    this.#taking.add(taking);
    try {
      return await taking;
    } finally {
      this.#taking.delete(taking);
    }
  }

  async #take(): Promise<boolean> {
    const room = IN_FLIGHT - this.#sending.size;
    if (room <= 0) return false;
    const now = this.clock.now();
    const keys = await this.sql<{ deviceId: string; slot: string }>(
      `update pushes set due_at = $1::timestamptz + make_interval(secs => $3), attempts = attempts + 1
       where (device_id, slot) in (select device_id, slot from pushes where due_at <= $1 order by due_at limit $2 for update skip locked)
       returning device_id as "deviceId", slot`,
      [now, room, CLAIM_SECONDS],
    );
    if (!keys.length) return false;
    for (const push of await readPushes(this.sql, keys, now)) {
      const sending: Promise<void> = this.#deliver(push)
        .catch((error: Error) => this.log.error({ device: push.deviceId, kind: push.kind, error: error.message }, 'a push could not be sent; it is tried again'))
        .finally(() => this.#sending.delete(sending));
      this.#sending.add(sending);
    }
    return keys.length === room && this.#sending.size < IN_FLIGHT;
  }

  /** Being sent by this process. */
  get sending(): number {
    return this.#sending.size;
  }

  /** Due, of all processes: what waits to be gathered or tried again, or is being sent. */
  async waiting(): Promise<number> {
    const [found] = await this.sql<{ n: number }>('select count(*)::int as n from pushes where due_at is not null');
    return found!.n;
  }

  /** Waits for what is under way: no longer than a push service may take. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#taking);
    await Promise.all(this.#sending);
  }

  /** What can't be told any more, and what was told long ago. */
  async forget(): Promise<void> {
    await deleteAll(this.sql, 'delete from pushes where ctid = any(array(select ctid from pushes where expires_at < $1 limit $2)) returning 1', [new Date(this.clock.now().getTime() - FORGOTTEN_AFTER_MS)]);
  }

  async #deliver(push: DuePush): Promise<void> {
    const now = this.clock.now();
    const verdict = push.expiresAt <= now ? 'drop' : judgePush({
      kind: push.kind, now, preferences: asPreferences(push), over: push.over || !mayBePushed(push.kind, push.scopes), blocked: push.blocked, live: push.live, seenLiveAt: push.lookedAt,
      chat: push.chatKind === null ? null : { level: push.level ?? defaultLevel({ kind: push.chatKind, memberCount: push.memberCount! }), mutedUntil: push.mutedUntil },
    });
    if (verdict === 'drop') {
      this.figures[push.expiresAt <= now ? 'expired' : 'dropped']++;
      return this.#settle(push, null);
    }
    if (verdict === 'wait') return this.#later(push, LIVE_FOR_CERTAIN_MS, true);
    const sender = this.senders[push.provider];
    if (!sender) return this.#settle(push, null);
    const host = push.provider === 'WEB_PUSH' ? new URL(push.address).host : '';
    const busy = this.#hosts.get(host) ?? 0;
    if (host && busy >= EACH_HOST) return this.#later(push, BUSY_MS, false);
    this.#hosts.set(host, busy + 1);
    let outcome: PushOutcome;
    try {
      const ttl = Math.max(0, Math.min(ttlOf(push.kind), Math.floor((push.expiresAt.getTime() - now.getTime()) / 1000)));
      const payload = payloadOf({ ...push, at: push.notedAt, content: contentOf(push.content ?? 'TEXT', push.encrypted) });
      outcome = await sender.send(push, { payload, ttl, urgent: push.kind === 'INCOMING_CALL' });
    } finally {
      const left = this.#hosts.get(host)! - 1;
      if (left) this.#hosts.set(host, left);
      else this.#hosts.delete(host);
    }
    await this.#record(push, outcome);
  }

  async #record(push: DuePush, outcome: PushOutcome): Promise<void> {
    switch (outcome.outcome) {
      case 'sent':
        this.figures.sent++;
        return this.#settle(push, this.clock.now());
      case 'gone':
        this.figures.gone++;
        await this.sql('delete from push_devices where id = $1', [push.deviceId]);
        return;
      case 'refused':
        this.figures.refused++;
        this.log.warn({ device: push.deviceId, kind: push.kind, why: outcome.why }, 'a push was refused');
        return this.#settle(push, null);
      case 'later':
        this.figures.retried++;
        this.log.info({ device: push.deviceId, kind: push.kind, attempts: push.attempts, why: outcome.why }, 'a push waits for its service');
        return this.#later(push, Math.max(outcome.afterMs ?? 0, Math.min(RETRY_MS * 2 ** (push.attempts - 1), MAX_RETRY_MS)), false);
    }
  }

  /** Done, unless something has been added meanwhile: that is told, apart from this. */
  async #settle({ deviceId, slot, version }: DuePush, sentAt: Date | null): Promise<void> {
    await this.sql(
      `update pushes set attempts = 0, looked_at = null, sent_at = coalesce($4, sent_at),
         due_at = case when version <> $3 then greatest($5::timestamptz + make_interval(secs => $6), coalesce($4, sent_at) + make_interval(secs => $7)) end
       where device_id = $1 and slot = $2`,
      [deviceId, slot, version, sentAt, this.clock.now(), GATHER_MS / 1000, APART_MS / 1000],
    );
  }

  /** Tried again then; past its time it is dropped. `looked`: the device seemed to be connected. */
  async #later({ deviceId, slot, attempts, version, lookedAt }: DuePush, ms: number, looked: boolean): Promise<void> {
    const now = this.clock.now();
    await this.sql(
      `update pushes set due_at = $3, attempts = case when version = $6 then $4 else 0 end, looked_at = case when version = $6 then $5::timestamptz end where device_id = $1 and slot = $2`,
      // What waited for certainty, or for room, has not failed.
      [deviceId, slot, new Date(now.getTime() + ms), looked || ms === BUSY_MS ? attempts - 1 : attempts, looked ? (lookedAt ?? now) : lookedAt, version],
    );
  }
}
