/** What an app may be given, each to read and to write. */
export const AREAS = ['profile', 'people', 'chats', 'calls', 'statuses', 'files', 'documents', 'news', 'notifications', 'shops', 'bots', 'webhooks'] as const;
export type Area = (typeof AREAS)[number];
export const SCOPES: readonly string[] = [...AREAS.flatMap((area) => [`${area}:read`, `${area}:write`]), 'users:issue'];

/** Never given to an app: who somebody is here, what they sign in by, their apps, and what those who run the place do. */
export type Place = Area | 'person-only' | 'open' | 'users:issue';

/**
 * Where each field of Query, Mutation, Subscription and Viewer belongs, by its name, and each object type; the first that fits decides. `open` is what says nothing by
 * itself (a page, a sum). A spec asks it of every field and type of the schema: one that fits nothing must be given a place here.
 */
const FIELDS: readonly [RegExp, Place][] = [
  [/^(signUp|signIn|signInWithIdentity|refreshSession|verifyEmail|requestPasswordReset|resetPassword|requestPhoneCode|verifyPhoneCode)$/, 'person-only'],
  [/^(node|auditLog|paymentFindings|settlePayout|analytics.*|sessions|roles|email|emailVerified|phone|privacy|signOut|changePassword|requestEmailVerification|setUserRoles|suspendUser|reinstateUser|.*Moderation.*|moderation.*|.*NewsSource|requestDataExport|eraseUser|deleteAccount|dataExports?)$/, 'person-only'],
  [/^(apps?|createApp|updateApp|deleteApp|setAppPlan|rotateAppSecret|createApiKey|revokeApiKey|authorizeApp|.*KeyPackages?|revokeDevice|retrainModels|rollBackModel|trainingRuns?|inferred|.*Models?)$/, 'person-only'],
  [/^issueUserToken$/, 'users:issue'],
  [/ebhook/, 'webhooks'],
  [/^(viewer|user|userByHandle|updateProfile|setPresence|eventCursor|storage|quota)$/, 'profile'],
  [/^(.*[Nn]otification.*|.*[Pp]ushDevices?|pushConfig)$/, 'notifications'],
  [/^([Nn]ews|.*[Aa]rticle|newsArticle|newsSources|newsBookmarks|newsPublished|recommendedNews)/, 'news'],
  [/ProductStatus$/, 'shops'],
  [/([Ss]tatus(es|Mutes)?$|[Hh]ighlight|^reactToStatus|muteStatuses$)/, 'statuses'],
  [/(Product|[Cc]art|[Oo]rders?$|[Ss]hop|[Cc]heckout|Category|Review|Stock|Discount|GiftCard|ShippingMethod|TaxRule|Fulfillment|^product|apturePayment|confirmPayment|GroupBuy|Refund)/, 'shops'],
  [/(Returns?|Invoices?|Address|Payouts?|^addresses|^sales.*)$/, 'shops'],
  [/^(createUpload|completeUpload|upload|file|deleteFile|releaseFile)/, 'files'],
  [/([Dd]ocument|hiteboard|CoBrowsing|Control$|updateAwareness)/, 'documents'],
  [/([Cc]all|Participant|Transport|roduce|onsume|Recording|TurnCredentials|restartIce|KeyFrame|PreferredLayers)/, 'calls'],
  [/([Bb]ots?|[Aa]ssistant|suggestReplies|summarizeChat|translateMessage|[Ss]entiment$)/, 'bots'],
  [/(Contacts?$|^contacts$|lockUser|blockedUsers|searchUsers|syncContacts|presenceEvents|suggestedUsers|recordInteractions|dismissSuggestion|updatePersonalization|^interests|[Pp]ersonalization)/, 'people'],
  [/([Cc]hat|[Mm]essage|[Gg]roup|InviteLink|Reaction|Poll|markRead|markDelivered|setTyping|typingEvents|inboxEvents|LinkPreview|reportContent|Encrypted)/, 'chats'],
];

const TYPES: readonly [RegExp, Place][] = [
  [/^(Query|Mutation|Subscription|Viewer|PageInfo|Money|Address|ResyncRequired|InboxCheckpoint|User|UserViewerState|Presence|PresenceEvent|OperationCost)$/, 'open'],
  [/^(Session|SessionViewerState|PaymentFinding|SessionsChanged|AccountChanged|AuditEntry|Analytics.*|App|AppPlan|AppUsageDay|ApiKey|DataExport.*|Moderation.*|Model.*|LearnedModel|Inferred.*|Training.*)$/, 'person-only'],
  [/^Webhook/, 'webhooks'],
  [/^(PrivacySettings|ProfileChanged|StorageUse)$/, 'profile'],
  [/^(Notification|Push|QuietHours)/, 'notifications'],
  [/^News/, 'news'],
  [/^(Status|HighlightSegment)/, 'statuses'],
  [/^(Cart|Checkout|Product|Order|Shop|Fulfil|Payment|Price|Shipping|Shortage|Stock|Quoted|Import|CategoryFacet|AttributeFacet|FacetValue|GiftCard|Discount|GroupBuy|Refund|Tax|Payout|Return|Invoice|Sales|SavedAddress|Showcased)/, 'shops'],
  [/^(File|Upload)/, 'files'],
  [/^(Document|Control|Awareness)/, 'documents'],
  [/^(Call|IncomingCall|Participant|Producer|DominantSpeaker|ResumedMedia)/, 'calls'],
  // What a message shows is the chat's, whoever wrote it.
  [/^Bot(Card|Source)/, 'chats'],
  [/^(Bot|Assistant|Reply|Summary|Translation|(Message|Chat)Sentiment)/, 'bots'],
  [/^(Contact|BlockChanged|Personalization|Suggest)/, 'people'],
  [/^(Chat|Message|Group|InviteLink|LinkPreview|Location|Member|Pinned|Poll|Reaction|Receipt|Viewer|Scheduled|Report|System|Thread|Typing|ForwardOrigin|Attachment)/, 'chats'],
];

const find = (table: readonly [RegExp, Place][], name: string): Place | null => table.find(([pattern]) => pattern.test(name))?.[1] ?? null;

/** Of a field of Query, Mutation, Subscription or Viewer; null: it was given no place. */
export const placeOfField = (name: string): Place | null => find(FIELDS, name);
/** Of an object type; pages and payloads are where what is in them is. */
export const placeOfType = (name: string): Place | null => (/Payload$/.test(name) ? 'open' : find(TYPES, name.replace(/(Connection|Edge)$/, '')));

/** The scope by which an app may select it; null: no app may. What was given no place is no app's. */
export function scopeFor(place: Place | null, access: 'read' | 'write'): string | null {
  if (place === 'open') return '';
  if (place === null || place === 'person-only') return null;
  return place === 'users:issue' ? place : `${place}:${access}`;
}

const KINDS: readonly [RegExp, Area][] = [
  [/^call\./, 'calls'], [/^contact\./, 'people'], [/^file\./, 'files'], [/^status\./, 'statuses'], [/^order\./, 'shops'], [/^notification\./, 'notifications'],
];

/** The scope by which an app may have an endpoint told of a kind of event: what it is told of it could read itself. */
export const scopeOfKind = (kind: string): string => `${KINDS.find(([pattern]) => pattern.test(kind))?.[1] ?? 'chats'}:read`;
