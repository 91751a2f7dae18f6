import { AccountResolver, ViewerAccountResolver } from './account.js';
import { AppOperationResolver } from './app-operations.js';
import { AppPlanResolver } from './app-plans.js';
import { ANALYTICS_RESOLVERS } from './analytics.js';
import { BOT_ACTION_RESOLVERS } from './bot-actions.js';
import { BOT_OWNER_RESOLVERS } from './bot-owner.js';
import { BOT_SCHEDULE_RESOLVERS } from './bot-schedules.js';
import { BOT_RESOLVERS } from './bots.js';
import { BlockResolver } from './blocks.js';
import { ContactMatchResolver, ContactResolver, ViewerContactsResolver } from './contacts.js';
import { CALL_EVENT_RESOLVERS, CallEventsResolver } from './call-events.js';
import { APP_ACCESS_RESOLVERS } from './app-access.js';
import { APP_RESOLVERS } from './apps.js';
import { CallMediaResolver } from './call-media.js';
import { CallRecordingsOfCallResolver, CallRecordingsResolver } from './call-recordings.js';
import { CallShowcaseResolver, ShowcaseOfCallResolver } from './call-showcase.js';
import { CallTokensResolver, CallVerbsResolver } from './call-verbs.js';
import { CallLogEntryResolver, CallParticipantResolver, CallProducerResolver, CallResolver, ChatCallResolver, ViewerCallsResolver } from './calls.js';
import { ChatResolver, ChatMemberResolver } from './chat.js';
import { ViewerChatsResolver } from './chat-list.js';
import { ChatMembershipResolver } from './chat-members.js';
import { ChatSettingsMutations, ChatSettingsResolver, ChatViewerStateResolver } from './chat-settings.js';
import { EVENT_RESOLVERS } from './events.js';
import { AttachmentResolver, FileResolver, UploadPartResolver, UploadResolver, ViewerStorageResolver } from './files.js';
import { GroupMembershipResolver, GroupMemberResolver } from './group-members.js';
import { ChatGroupResolver, GroupResolver, GroupViewerStateResolver, ViewerGroupsResolver } from './groups.js';
import { ChatInvitesResolver, InviteLinkResolver } from './invites.js';
import { MessageResolver, MessageReferenceResolver } from './message.js';
import {
  ChatEncryptionResolver, ClaimedKeyPackageResolver, DeviceResolver, EncryptedBodyResolver, EncryptedMessageResolver, GroupDeviceResolver, MlsCommitResolver, MlsGroupResolver, MlsWelcomeResolver, ViewerDevicesResolver,
} from './encryption.js';
import { MessageChangesResolver, MessageMarksChangedResolver, MessageSharingResolver, StarredMessagesResolver } from './message-changes.js';
import { ChatMessagesResolver, ForwardOriginResolver, MessagePartsResolver, ReactionGroupResolver, ThreadSummaryResolver } from './message-parts.js';
import { LEARNING_RESOLVERS } from './learning.js';
import { LinkPreviewPartsResolver, LinkPreviewResolver } from './link-previews.js';
import { MARKETPLACE_RESOLVERS } from './marketplace.js';
import { NEWS_RESOLVERS } from './news.js';
import { NodeResolver } from './node.js';
import { NOTIFICATION_RESOLVERS } from './notifications.js';
import { OPERATOR_RESOLVERS } from './operators.js';
import { PRIVACY_RESOLVERS } from './privacy.js';
import { IdentityResolver } from './identity.js';
import { PhoneResolver } from './phone.js';
import { EmailResolver, RecoveryResolver } from './recovery.js';
import { SessionResolver, SessionViewerStateResolver, ViewerSessionsResolver } from './session.js';
import { MessageSearchResolver } from './message-search.js';
import { ReadingHelpResolver, SentimentResolver } from './reading-help.js';
import { ReceiptResolver } from './receipts.js';
import { ScheduledMessageChangedResolver, ScheduledMessageResolver, ViewerScheduledResolver } from './scheduled.js';
import { PollCardResolver, PollOptionResolver } from './poll.js';
import { PeopleResolver, UserViewerStateResolver, ViewerPrivacyResolver } from './people.js';
import { PresenceResolver } from './presence.js';
import { COMMERCE_RESOLVERS } from './commerce.js';
import { CoBrowsingResolver } from './co-browsing.js';
import { AwarenessChangedResolver, ChatDocumentsResolver, DocumentChangedResolver, DocumentResolver } from './documents.js';
import { MODERATION_RESOLVERS } from './moderation.js';
import { ReportResolver } from './reports.js';
import { StatusGroupResolver, UserStatusesResolver, ViewerStatusesResolver } from './status-feed.js';
import { StatusHighlightResolver } from './status-highlights.js';
import { StatusCardResolver, StatusInsightsResolver, StatusResolver, StatusViewerResolver } from './statuses.js';
import { SubscriptionResolver } from './subscriptions.js';
import { SUPPORT_RESOLVERS } from './support.js';
import { MessageSystemResolver, SystemNoticeResolver } from './system-notice.js';
import { TUTOR_RESOLVERS } from './tutors.js';
import { WEBHOOK_RESOLVERS } from './webhooks.js';
import { UserResolver, ViewerResolver } from './user.js';

const ACCOUNT_RESOLVERS = [AccountResolver, ViewerAccountResolver, SessionResolver, SessionViewerStateResolver, ViewerSessionsResolver, EmailResolver, RecoveryResolver, PhoneResolver, IdentityResolver];
const CHAT_RESOLVERS = [
  ChatSettingsMutations, ChatSettingsResolver, ChatViewerStateResolver, ViewerChatsResolver, ChatMembershipResolver, ChatInvitesResolver, InviteLinkResolver,
  MessageSystemResolver, SystemNoticeResolver,
];
const GROUP_RESOLVERS = [GroupResolver, GroupViewerStateResolver, ChatGroupResolver, ViewerGroupsResolver, GroupMembershipResolver, GroupMemberResolver];

const ENCRYPTION_RESOLVERS = [
  DeviceResolver, ClaimedKeyPackageResolver, ViewerDevicesResolver, ChatEncryptionResolver, MlsGroupResolver, GroupDeviceResolver, MlsCommitResolver, MlsWelcomeResolver, EncryptedMessageResolver, EncryptedBodyResolver,
];
const DOCUMENT_RESOLVERS = [DocumentResolver, ChatDocumentsResolver, CoBrowsingResolver, DocumentChangedResolver, AwarenessChangedResolver];
const FILE_RESOLVERS = [FileResolver, UploadResolver, UploadPartResolver, AttachmentResolver, ViewerStorageResolver];
const CALL_RESOLVERS = [
  CallResolver, CallParticipantResolver, CallProducerResolver, ChatCallResolver, CallLogEntryResolver, ViewerCallsResolver, CallVerbsResolver, CallTokensResolver, CallMediaResolver,
  CallRecordingsResolver, CallRecordingsOfCallResolver, CallShowcaseResolver, ShowcaseOfCallResolver, CallEventsResolver, ...CALL_EVENT_RESOLVERS,
];

const STATUS_RESOLVERS = [
  StatusResolver, StatusInsightsResolver, StatusViewerResolver, StatusCardResolver, StatusGroupResolver, ViewerStatusesResolver, UserStatusesResolver, StatusHighlightResolver,
];

/** Every resolver class. container.ts makes one instance of each. */
export const RESOLVERS = [
  ...ACCOUNT_RESOLVERS,
  NodeResolver,
  UserResolver,
  ViewerResolver,
  ChatResolver,
  ChatMemberResolver,
  ...CHAT_RESOLVERS,
  ...GROUP_RESOLVERS,
  MessageResolver,
  MessageReferenceResolver,
  ReceiptResolver,
  MessageSearchResolver,
  ScheduledMessageResolver,
  ViewerScheduledResolver,
  ScheduledMessageChangedResolver,
  MessagePartsResolver,
  ReactionGroupResolver,
  ThreadSummaryResolver,
  ForwardOriginResolver,
  ChatMessagesResolver,
  PollCardResolver,
  PollOptionResolver,
  MessageChangesResolver,
  MessageSharingResolver,
  StarredMessagesResolver,
  MessageMarksChangedResolver,
  ...ENCRYPTION_RESOLVERS,
  PeopleResolver,
  UserViewerStateResolver,
  ViewerPrivacyResolver,
  ContactResolver,
  ContactMatchResolver,
  ViewerContactsResolver,
  BlockResolver,
  ReportResolver,
  PresenceResolver,
  ...DOCUMENT_RESOLVERS,
  ...STATUS_RESOLVERS,
  ...FILE_RESOLVERS,
  ...CALL_RESOLVERS,
  LinkPreviewResolver, LinkPreviewPartsResolver,
  ...BOT_RESOLVERS, ...SUPPORT_RESOLVERS, ...MARKETPLACE_RESOLVERS, ...TUTOR_RESOLVERS,
  ...BOT_ACTION_RESOLVERS,
  ...BOT_OWNER_RESOLVERS,
  ...BOT_SCHEDULE_RESOLVERS,
  ReadingHelpResolver,
  SentimentResolver,
  ...NEWS_RESOLVERS,
  ...LEARNING_RESOLVERS,
  ...NOTIFICATION_RESOLVERS,
  ...OPERATOR_RESOLVERS,
  ...PRIVACY_RESOLVERS,
  ...ANALYTICS_RESOLVERS,
  ...MODERATION_RESOLVERS,
  ...WEBHOOK_RESOLVERS,
  ...APP_RESOLVERS,
  ...APP_ACCESS_RESOLVERS,
  AppOperationResolver,
  AppPlanResolver,
  SubscriptionResolver,
  ...EVENT_RESOLVERS,
  ...COMMERCE_RESOLVERS,
];
