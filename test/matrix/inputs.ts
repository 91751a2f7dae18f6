import { createECDH, randomBytes } from 'node:crypto';
import { getNamedType, isEnumType, isInputObjectType, isListType, isNonNullType, type GraphQLArgument, type GraphQLField, type GraphQLInputField, type GraphQLInputType } from 'graphql';
import { ADDRESS } from '../testkit/commerce.js';
import type { Stage } from './stage.js';

let keys = 0;

/** What a browser would send that has subscribed. */
export function webPush(): { endpoint: string; p256dh: string; auth: string } {
  const keysOfBrowser = createECDH('prime256v1');
  keysOfBrowser.generateKeys();
  return { endpoint: `https://push.example.com/${++keys}`, p256dh: keysOfBrowser.getPublicKey('base64url'), auth: randomBytes(16).toString('base64url') };
}

/** What a field is asked with where its type and name don't say it: what its owner could send. */
const OF_FIELD: Record<string, (things: Record<string, string>) => Record<string, unknown>> = {
  addBotKnowledge: () => ({ text: 'Tea is hot.' }),
  addChatMembers: ({ ownerId }) => ({ memberIds: [ownerId] }),
  addContact: ({ ownerId }) => ({ userId: ownerId }),
  addGroupMembers: ({ ownerId }) => ({ userIds: [ownerId] }),
  adjustStock: () => ({ delta: 1 }),
  applyDocumentUpdate: () => ({ update: 'AAA=' }),
  askingApp: () => ({ redirectUri: 'https://example.com/back', scopes: ['chats:read'] }),
  authorizeApp: () => ({ redirectUri: 'https://example.com/back', scopes: ['chats:read'], codeChallenge: 'a'.repeat(43) }),
  changePassword: () => ({ currentPassword: 'password of owner', newPassword: 'another password' }),
  claimKeyPackages: ({ encryptedChatId }) => ({ chatId: encryptedChatId }),
  closeDataConsumer: ({ dataConsumerId }) => ({ consumerId: dataConsumerId }),
  closeDataProducer: ({ dataProducerId }) => ({ producerId: dataProducerId }),
  closePoll: ({ pollId }) => ({ messageId: pollId }),
  commitMlsGroup: ({ encryptedChatId, commit, nextGroupInfo }) => ({ chatId: encryptedChatId, commit, groupInfo: nextGroupInfo }),
  createApp: () => ({ redirectUris: ['https://example.com/back'], scopes: ['chats:read'] }),
  createChat: ({ ownerId }) => ({ kind: 'DIRECT', memberIds: [ownerId] }),
  createDiscount: () => ({ kind: 'PERCENT', value: 10 }),
  createInvoice: () => ({}),
  createMlsGroup: ({ encryptedChatId, anotherGroupInfo }) => ({ chatId: encryptedChatId, groupInfo: anotherGroupInfo }),
  decideModerationCase: () => ({ decision: 'APPROVE' }),
  deleteAccount: ({ ownerHandle }) => ({ handle: ownerHandle, password: 'password of owner' }),
  deleteMessage: () => ({ scope: 'FOR_EVERYONE' }),
  denyControl: ({ coBrowsingId }) => ({ documentId: coBrowsingId }),
  dismissSuggestion: ({ userId }) => ({ targetId: userId }),
  endCoBrowsing: ({ coBrowsingId }) => ({ documentId: coBrowsingId }),
  forwardMessages: ({ messageId, chatId }) => ({ messageIds: [messageId], chatIds: [chatId] }),
  fulfillOrder: ({ lineId }) => ({ lines: [{ lineId, quantity: 1 }] }),
  grantControl: ({ coBrowsingId }) => ({ documentId: coBrowsingId }),
  importProducts: () => ({ format: 'CSV', content: 'slug,title,sku,price:CHF\nx,X,x,100\n' }),
  joinChat: ({ chatId }) => ({ chatId }),
  joinCall: () => ({ recordingConsent: true }),
  markNotificationsRead: () => ({ notificationIds: [] }),
  moderationQueue: ({ chatId }) => ({ chatId }),
  moderationRules: ({ chatId }) => ({ chatId }),
  node: ({ chatId }) => ({ id: chatId }),
  postStatus: () => ({ text: 'A status' }),
  pressButton: ({ cardId }) => ({ messageId: cardId, button: 'yes' }),
  presenceEvents: ({ ownerId }) => ({ userIds: [ownerId] }),
  produce: () => ({ kind: 'AUDIO', source: 'MICROPHONE' }),
  productBySlug: ({ shopSlug, productSlug }) => ({ shop: shopSlug, slug: productSlug }),
  recordInteractions: ({ productId }) => ({ interactions: [{ idempotencyKey: `matrix-${++keys}`, kind: 'VIEWED', targetId: productId }] }),
  redeliverWebhook: ({ startedAt }) => ({ since: startedAt }),
  registerDevice: ({ keyPackage }) => ({ keyPackages: [keyPackage] }),
  registerAppOperations: () => ({ documents: [`query Another${++keys} { viewer { user { id } } }`] }),
  registerPushDevice: () => ({ webPush: webPush() }),
  releaseControl: ({ coBrowsingId }) => ({ documentId: coBrowsingId }),
  removeAppOperations: ({ operationHash }) => ({ hashes: [operationHash] }),
  replyToStatus: () => ({ text: 'Hello' }),
  reportContent: ({ messageId }) => ({ targetId: messageId, reason: 'SPAM' }),
  requestControl: ({ coBrowsingId }) => ({ documentId: coBrowsingId }),
  requestDataExport: ({ userId }) => ({ userId }),
  requestReturn: ({ lineId }) => ({ lines: [{ lineId, quantity: 1 }] }),
  reviewBotVersion: () => ({ decision: 'APPROVE' }),
  ringCall: ({ userId }) => ({ userIds: [userId] }),
  scheduleMessage: () => ({ text: 'later' }),
  searchGroups: ({ groupName }) => ({ query: groupName }),
  searchMessages: () => ({ query: 'hello' }),
  searchUsers: ({ ownerHandle }) => ({ query: ownerHandle }),
  setBotCommands: () => ({ commands: [{ name: 'say', description: 'Say it' }] }),
  setBotSchedule: () => ({ every: 'DAY', at: '09:30', text: 'Good morning' }),
  sendControl: ({ coBrowsingId }) => ({ documentId: coBrowsingId, messages: [{ click: 1 }] }),
  sendEncryptedMessage: ({ encryptedChatId, ciphertext }) => ({ chatId: encryptedChatId, content: ciphertext }),
  sendMessage: () => ({ text: 'Hello' }),
  setAppPlan: () => ({ plan: 'FREE' }),
  setUserRoles: () => ({ roles: ['USER'] }),
  settlePayout: () => ({ state: 'PAID' }),
  shopBySlug: ({ shopSlug }) => ({ slug: shopSlug }),
  submitForm: ({ cardId }) => ({ messageId: cardId, values: [{ key: 'name', text: 'Owner' }] }),
  sendBotCard: () => ({ card: { rows: [[{ key: 'yes', label: 'Yes' }]] } }),
  updateBotCard: () => ({ card: {} }),
  unlistBot: () => ({ reason: 'Nobody wants it' }),
  updateChatMemberRole: () => ({ role: 'MEMBER' }),
  updateGroupMemberRole: () => ({ role: 'MEMBER' }),
  updateHighlight: () => ({ title: 'Kept for long' }),
  updateModerationRules: ({ chatId }) => ({ chatId, rules: {} }),
  userByHandle: ({ ownerHandle }) => ({ handle: ownerHandle }),
  uploadKeyPackages: ({ keyPackage }) => ({ keyPackages: [keyPackage] }),
  user: ({ ownerId }) => ({ id: ownerId }),
  votePoll: ({ pollId }) => ({ messageId: pollId, optionIndexes: [0] }),
};

/** Which thing an argument `id` of a root field names. */
const idOfField = (field: string): string => ({ dataExport: 'exportId', newsArticle: 'articleId' })[field] ?? `${field}Id`;

export function variablesFor(field: GraphQLField<unknown, unknown>, { things, world }: Stage): Record<string, unknown> {
  const own = OF_FIELD[field.name]?.(things) ?? {};
  const [input] = field.args;
  if (input?.name === 'input') return { input: { ...objectFor(getNamedType(input.type), own), ...own } };
  // A field of an object may have the name of a root field, and other arguments.
  return Object.fromEntries(field.args.filter((one) => wanted(one) || one.name in own).map((one) => [one.name, own[one.name] ?? valueFor(one)]));

  function wanted(one: GraphQLArgument | GraphQLInputField): boolean {
    return isNonNullType(one.type) && one.defaultValue === undefined;
  }
  function objectFor(type: GraphQLInputType, given: object = {}): Record<string, unknown> {
    return isInputObjectType(type) ? Object.fromEntries(Object.values(type.getFields()).filter((one) => wanted(one) && !(one.name in given)).map((one) => [one.name, valueFor(one)])) : {};
  }
  function valueFor(one: GraphQLArgument | GraphQLInputField, type: GraphQLInputType = one.type): unknown {
    if (isNonNullType(type)) return valueFor(one, type.ofType);
    if (isListType(type)) return [valueFor(one, type.ofType)];
    if (isInputObjectType(type)) return type.name === 'AddressInput' ? ADDRESS : objectFor(type);
    if (isEnumType(type)) return type.getValues()[0]!.value;
    switch (type.name) {
      case 'ID':
        return idFor(one.name);
      case 'Int':
      case 'BigInt':
      case 'Float':
        return 1;
      case 'Boolean':
        return true;
      case 'Bytes':
        return 'AAA=';
      case 'DateTime':
        return new Date(world.clock.now().getTime() + (one.name === 'since' ? -3_600_000 : 3_600_000)).toISOString();
      case 'JSON':
        return { codecs: [], fingerprints: [], streamId: 1 };
      default:
        return textFor(one.name);
    }
  }
  function idFor(name: string): string {
    if (name === 'idempotencyKey') return `matrix-${++keys}`;
    const found = things[name === 'id' ? idOfField(field.name) : name.replace(/s$/, '')] ?? things[name];
    if (!found) throw new Error(`There is no ${name} for ${field.name} on the stage.`);
    return found;
  }
  function textFor(name: string): string {
    if (/email/i.test(name)) return `p${++keys}@example.com`;
    if (/phone/i.test(name)) return '+41791234567';
    if (/url/i.test(name)) return 'https://example.com/a.xml';
    if (/handle/i.test(name)) return `h_${++keys}`;
    if (/emoji/i.test(name)) return '👍';
    if (name === 'sha256') return 'ab'.repeat(32);
    if (name === 'contentType') return 'text/plain';
    if (/currency/i.test(name)) return 'CHF';
    if (/slug|sku/i.test(name)) return `s-${++keys}`;
    if (/country/i.test(name)) return 'CH';
    if (/language/i.test(name)) return 'en';
    if (name === 'clientId') return things['clientId']!;
    if (name === 'taxClass') return 'standard';
    if (name === 'provider') return 'sandbox';
    if (name === 'method') return 'sandbox_ok';
    if (name === 'code') return `CODE-${++keys}`;
    return 'some text';
  }
}
