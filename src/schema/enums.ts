import { registerEnumType } from 'type-graphql';
import { AUDIT_ACTIONS, PARTNER_ACTIONS } from '../entities/audit.js';
import { USER_ROLES } from '../entities/user.js';
import { SYSTEM_ACTIONS } from '../entities/message.js';
import { CHAT_FEATURES } from '../policies/mls-policy.js';

/** GraphQL enums whose values are their own names. */
function enumOf<const Values extends readonly string[]>(name: string, values: Values, description?: string): { [Value in Values[number]]: Value } {
  const object = Object.fromEntries(values.map((value) => [value, value])) as { [Value in Values[number]]: Value };
  registerEnumType(object, { name, ...(description ? { description } : {}) });
  return object;
}

export const UserKind = enumOf('UserKind', ['PERSON', 'BOT']);
export const PresencePrivacy = enumOf('PresencePrivacy', ['EVERYONE', 'CONTACTS', 'NOBODY'], 'Who sees whether somebody is there. CONTACTS: those whom that person has among their contacts.');
export const PresenceStatus = enumOf('PresenceStatus', ['ONLINE', 'AWAY', 'OFFLINE'], 'AWAY: every connected device has said so.');
export const ReportReason = enumOf('ReportReason', [
  'SPAM', 'HARASSMENT', 'HATE', 'VIOLENCE', 'SEXUAL_CONTENT', 'CHILD_SAFETY', 'SELF_HARM', 'FRAUD', 'IMPERSONATION', 'OTHER',
]);
export const ReportTargetType = enumOf('ReportTargetType', ['USER', 'MESSAGE', 'CHAT', 'GROUP']);
export const Role = enumOf('Role', USER_ROLES, 'What somebody does for this place: docs/OPERATIONS.md has what each may. A person has one; ADMIN may everything that the others may.');
export const AuditAction = enumOf('AuditAction', [...AUDIT_ACTIONS, ...PARTNER_ACTIONS]);
export const ChatKind = enumOf('ChatKind', ['DIRECT', 'GROUP']);
export const ChatEncryption = enumOf('ChatEncryption', ['NONE', 'MLS'], 'Fixed when the chat is made.');
export const GroupDeviceState = enumOf('GroupDeviceState', ['IN_GROUP', 'MISSING', 'GONE'], 'MISSING: a device of a member, not in the group. GONE: in the group, but ended, or its owner has left the chat.');
export const ChatFeatureEnum = enumOf('ChatFeature', CHAT_FEATURES);
export const MemberRole = enumOf('MemberRole', ['OWNER', 'ADMIN', 'MEMBER']);
export const MessageKind = enumOf('MessageKind', ['TEXT', 'MEDIA', 'VOICE', 'CARD', 'SYSTEM', 'ENCRYPTED']);
export const ReferenceState = enumOf('ReferenceState', ['VISIBLE', 'DELETED', 'HIDDEN'], 'HIDDEN: from before one joined.');
export const ResyncReason = enumOf('ResyncReason', ['EXPIRED', 'EPOCH_CHANGED', 'TOO_FAR_BEHIND', 'AHEAD', 'UNREADABLE'], 'Why a stream can not be continued from a cursor. UNREADABLE: it holds what this server can not show.');
export const SystemAction = enumOf('SystemAction', SYSTEM_ACTIONS);
export const GroupVisibility = enumOf('GroupVisibility', ['PUBLIC', 'PRIVATE', 'SECRET'], 'PUBLIC: everybody sees members and chats. PRIVATE: found, its inside is for members. SECRET: there for its members alone.');
export const GroupJoinPolicy = enumOf('GroupJoinPolicy', ['OPEN', 'REQUEST', 'INVITE'], 'Joined at once, by asking, or by being brought in alone.');
export const GroupOrigin = enumOf('GroupOrigin', ['PEOPLE', 'CLUSTER'], 'Made by people, or suggested by clustering.');
export const GroupMemberState = enumOf('GroupMemberState', ['MEMBER', 'REQUESTED', 'BANNED']);
export const DocumentKind = enumOf('DocumentKind', ['WHITEBOARD', 'CO_BROWSING']);
export const DocumentEditing = enumOf('DocumentEditing', ['EVERYONE', 'ADMINS'], 'Who changes a whiteboard: every member, or its maker and those who run the chat.');
export const DocumentEnd = enumOf('DocumentEnd', ['ENDED', 'DELETED']);
export { enumOf };
