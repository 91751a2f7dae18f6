export { OmniTalk, type CallEvent, type CartEvent, type ChatEvent, type DocumentEvent, type DocumentPlace, type InboxEvent, type NewsEvent, type OmniTalkOptions, type PresenceEvent, type ProductEvent, type SessionTokens, type TypingEvent } from './client.js';
export { OmniTalkError, type ApiError } from './errors.js';
export { safetyNumber, spaced, type Identity } from './safety-number.js';
export { EventStream } from './stream.js';
export type { UploadedFile, UploadOptions } from './upload.js';
export * from './generated/graphql.js';
