import { OAuthService } from '../services/apps/oauth.js';
import { PartnerUsers } from '../services/apps/partner-users.js';
import type { RollUp } from '../services/analytics/roll-up.js';
import { BotDesk } from '../services/bots/bot-desk.js';
import type { RetirementJob } from '../services/bots/retirement.js';
import { BotCallbackService } from '../services/bots/callbacks.js';
import type { CallRecordings } from '../services/calls/call-recordings.js';
import { BotScheduleService } from '../services/bots/schedules.js';
import { CallUpkeep } from '../services/calls/call-upkeep.js';
import { GroupBuySettling } from '../services/commerce/group-buy-settling.js';
import { PaymentService } from '../services/commerce/payments.js';
import type { Reconciliation } from '../services/commerce/reconciliation.js';
import { DisappearingMessages } from '../services/disappearing.js';
import type { DeviceNews } from '../services/mls/device-news.js';
import type { DevicesJob } from '../services/mls/device-ends.js';
import type { DocumentService } from '../services/documents/documents.js';
import type { FileProcessor } from '../services/files/file-processor.js';
import { FileRemoval } from '../services/files/file-removal.js';
import type { EmailService, VerificationJob } from '../services/emails.js';
import { LinkPreviews } from '../services/link-previews.js';
import type { ModerationCases } from '../services/moderation/cases.js';
import type { ModerationWatch } from '../services/moderation/watch.js';
import type { NewsFeeds } from '../services/news/feeds.js';
import type { InteractionService } from '../services/learning/interactions.js';
import type { ModelService, TrainingJob } from '../services/learning/models.js';
import type { Trainings } from '../services/learning/trainings.js';
import type { NewsUpkeep } from '../services/news/upkeep.js';
import { PushQueue } from '../services/notifications/push-queue.js';
import type { ErasureSteps } from '../services/privacy/erasure-steps.js';
import type { ErasureJob, ErasureService } from '../services/privacy/erasure.js';
import { DataExportService } from '../services/privacy/exports.js';
import type { Retention } from '../services/privacy/retention.js';
import type { PhoneService } from '../services/phone.js';
import type { RecoveryService, ResetJob } from '../services/recovery.js';
import { SuspensionService } from '../services/roles.js';
import { ScheduledMessageService } from '../services/scheduled-messages.js';
import { StatusNews, type TellingJob } from '../services/statuses/status-news.js';
import type { UpkeepService } from '../services/upkeep.js';
import { WebhookQueue } from '../services/webhooks/webhook-queue.js';
import type { Spans } from '../lib/spans.js';
import type { RunnableTask } from './runner.js';
import type { Sweep } from './sweeper.js';

/** The services that jobs call. */
export interface JobDeps {
  analytics: RollUp;
  suspensions: SuspensionService;
  bots: BotDesk;
  botCallbacks: BotCallbackService;
  botSchedules: BotScheduleService;
  calls: CallUpkeep;
  callRecordings: CallRecordings;
  upkeep: UpkeepService;
  scheduled: ScheduledMessageService;
  disappearing: DisappearingMessages;
  documents: DocumentService;
  devices: DeviceNews;
  files: FileProcessor;
  fileRemoval: FileRemoval;
  /** Null where the settings say so. */
  newsFeeds: NewsFeeds | null;
  newsUpkeep: NewsUpkeep;
  oauth: OAuthService;
  partnerUsers: PartnerUsers;
  linkPreviews: LinkPreviews | null;
  /** Null where nothing is learned by a schedule. */
  models: ModelService | null;
  trainings: Trainings;
  interactions: InteractionService;
  moderation: ModerationCases;
  moderationWatch: ModerationWatch;
  payments: PaymentService;
  reconciliation: Reconciliation;
  groupBuys: GroupBuySettling;
  emails: EmailService;
  erasures: ErasureService;
  erasureSteps: ErasureSteps;
  exports: DataExportService;
  retention: Retention;
  phone: PhoneService;
  pushes: PushQueue;
  recovery: RecoveryService;
  statusNews: StatusNews;
  /** Null where the settings say so. */
  webhooks: WebhookQueue | null;
}

/** What a kind of job does. It runs at least once: a repeat must do no harm. A failure is tried again, later and later. */
export type Task<Payload extends object = object> = (deps: JobDeps, payload: Payload) => Promise<void>;

/** Every kind of job, by the name that `tx.enqueue` is given. */
const TASKS = {
  'keep-events': ({ upkeep }) => upkeep.events(),
  'forget-used-keys': ({ upkeep }) => upkeep.idempotencyKeys(),
  'forget-notifications': async ({ upkeep, pushes }) => {
    await upkeep.notifications();
    await pushes.forget();
  },
  'forget-webhook-deliveries': ({ upkeep }) => upkeep.webhookDeliveries(),
  'forget-expired-codes': ({ upkeep }) => upkeep.codesAndTokens(),
  'forget-sent-schedules': ({ upkeep }) => upkeep.scheduledMessages(),
  'forget-held-messages': ({ moderation }) => moderation.forget(),
  'forget-absences': ({ upkeep }) => upkeep.absences(),
  'end-stale-co-browsing': async ({ documents }) => {
    while (await documents.endStale());
  },
  'tell-of-devices': ({ devices }, { userId }: DevicesJob) => devices.tell(userId),
  'end-lost-devices': async ({ devices }) => {
    await devices.endLost();
    await devices.forget();
  },
  'tell-of-status': ({ statusNews }, payload: TellingJob) => statusNews.tell(payload),
  'process-file': ({ files }, payload: { id: string }) => files.run(payload.id),
  'moderate-by-model': ({ moderationWatch }, payload: { chatId: string; seq: number }) => moderationWatch.byModel(payload),
  'make-playback': ({ files }, payload: { id: string }) => files.playback(payload.id),
  'remove-file': ({ fileRemoval }, payload: { id: string }) => fileRemoval.remove(payload.id),
  'forget-old-news': ({ newsUpkeep }) => newsUpkeep.articles(),
  'forget-link-previews': ({ newsUpkeep }) => newsUpkeep.previews(),
  'reconcile-payments': ({ reconciliation }) => reconciliation.run(),
  'train-model': ({ trainings }, payload: TrainingJob) => trainings.run(payload),
  'train-models-when-due': async ({ models }) => models?.retrainWhenDue(),
  'forget-interactions': ({ interactions }) => interactions.forget(),
  'make-data-export': ({ exports }, payload: { id: string }) => exports.make(payload.id),
  'retire-bot': async ({ erasureSteps }, { botId }: RetirementJob) => void (await erasureSteps.run('memberships', botId)),
  'erase-user': ({ erasures }, payload: ErasureJob) => erasures.run(payload),
  'roll-up-analytics': async ({ analytics }) => void (await analytics.run()),
  'keep-retention': ({ retention }) => retention.run(),
  'send-phone-code': ({ phone }, payload: { id: string }) => phone.sendCode(payload),
  'send-email-verification': ({ emails }, payload: VerificationJob) => emails.sendVerification(payload),
  'send-password-reset': ({ recovery }, payload: ResetJob) => recovery.sendReset(payload),
  'send-password-changed': ({ recovery }, payload: { userId: string }) => recovery.sendChanged(payload),
} satisfies Record<string, Task<never>>;

export type JobName = keyof typeof TASKS;

/** Many times what a task takes. What it asks has limits of its own; this one is for what was forgotten. */
const LIMIT_MS = 30 * 60_000;
/** Of what goes through large files, or all that there is. graphile-worker gives a job to another after four hours. */
const LONG_LIMIT_MS = 3.5 * 3_600_000;
const LONG: ReadonlySet<string> = new Set<JobName>(['process-file', 'make-playback', 'make-data-export', 'erase-user', 'retire-bot', 'keep-events', 'keep-retention', 'roll-up-analytics', 'train-model']);

/** How long a task may take, ms. */
export const limitMsOf = (name: string): number => (LONG.has(name) ? LONG_LIMIT_MS : LIMIT_MS);

/** Tasks that run by themselves, by cron pattern (UTC). */
export const SCHEDULES: Readonly<Partial<Record<JobName, string>>> = {
  'keep-events': '7 3 * * *',
  'forget-used-keys': '17 * * * *',
  'forget-notifications': '57 * * * *',
  'forget-webhook-deliveries': '47 4 * * *',
  'forget-expired-codes': '27 * * * *',
  'forget-sent-schedules': '37 4 * * *',
  'forget-held-messages': '17 4 * * *',
  'forget-absences': '37 * * * *',
  'end-stale-co-browsing': '47 * * * *',
  'end-lost-devices': '12 * * * *',
  'forget-old-news': '57 3 * * *',
  'forget-link-previews': '7 * * * *',
  'keep-retention': '17 4 * * *',
  'roll-up-analytics': '*/10 * * * *',
  'reconcile-payments': '22 * * * *',
  'train-models-when-due': '23 4 * * *',
  'forget-interactions': '43 4 * * *',
};

export function tasksOf(deps: JobDeps, spans: Spans | null = null): Record<string, RunnableTask> {
  const entries: [string, Task<never>][] = Object.entries(TASKS);
  return Object.fromEntries(entries.map(([name, task]) => [name, (payload: object) => (spans ? spans.within(`job ${name}`, {}, () => task(deps, payload as never)) : task(deps, payload as never))]));
}

/** Processes that have died, and what hangs on them, are looked for this often. */
const RECONCILE_MS = 2_000;

export function sweepsOf({ bots, botCallbacks, botSchedules, calls, callRecordings, disappearing, exports, fileRemoval, scheduled, statusNews, newsFeeds, linkPreviews, oauth, partnerUsers, payments, groupBuys, pushes, suspensions, webhooks }: JobDeps): Sweep[] {
  return [
    { name: 'scheduled-messages', due: ScheduledMessageService.DUE, run: () => scheduled.release() },
    { name: 'disappearing-messages', due: DisappearingMessages.DUE, run: () => disappearing.sweep() },
    { name: 'expired-statuses', due: StatusNews.EXPIRED, run: () => statusNews.expire() },
    { name: 'status-views', due: StatusNews.VIEWED, run: () => statusNews.tellViews() },
    { name: 'files', due: FileRemoval.DUE, run: () => fileRemoval.sweep() },
    { name: 'oauth-codes', due: OAuthService.DUE, run: () => oauth.sweep() },
    { name: 'suspensions', due: SuspensionService.DUE, run: () => suspensions.sweep() },
    { name: 'used-tickets', due: PartnerUsers.DUE, run: () => partnerUsers.sweep() },
    { name: 'data-exports', due: DataExportService.EXPIRED, run: () => exports.tellExpired() },
    { name: 'pushes', due: PushQueue.DUE, run: () => pushes.sweep() },
    { name: 'calls', due: CallUpkeep.DUE, run: () => calls.sweep() },
    { name: 'call-recordings', everyMs: RECONCILE_MS, run: () => callRecordings.sweep() },
    { name: 'bot-replies', due: BotDesk.DUE, run: () => bots.sweep() },
    { name: 'bot-callbacks', due: BotCallbackService.DUE, run: () => botCallbacks.forget() },
    { name: 'bot-schedules', due: BotScheduleService.DUE, run: () => botSchedules.sweep() },
    { name: 'payments', due: PaymentService.DUE, run: () => payments.sweep() },
    { name: 'group-buys', due: GroupBuySettling.DUE, run: () => groupBuys.sweep() },
    { name: 'dead-calls', everyMs: RECONCILE_MS, run: () => calls.reconcile() },
    ...(newsFeeds ? [{ name: 'news-feeds', due: newsFeeds.due, run: () => newsFeeds.sweep() }] : []),
    ...(webhooks ? [{ name: 'webhooks', due: WebhookQueue.DUE, run: () => webhooks.sweep() }] : []),
    ...(linkPreviews
      ? [
          { name: 'link-previews', due: LinkPreviews.DUE, run: () => linkPreviews.sweep() },
          { name: 'link-preview-pages', due: LinkPreviews.PAGES_DUE, run: () => linkPreviews.fetchPages() },
        ]
      : []),
  ];
}
