import { createPublicKey, hash, verify } from 'node:crypto';

/**
 * As much of MLS (RFC 9420) as whoever routes it must read: the framing that stands in the clear, and key packages, which are public. Nothing here knows a secret.
 * Section numbers are those of the RFC. Lengths are bounded by the input, nothing is copied twice, and what is malformed is `MlsFormatError`.
 */
export class MlsFormatError extends Error {
  override readonly name = 'MlsFormatError';
}

/** MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519: the one that every client must have (17.1), and the one that is taken here. */
export const CIPHER_SUITE = 1;

const MLS_10 = 1;
const WIRE_FORMATS = { 1: 'public', 2: 'private', 3: 'welcome', 4: 'groupInfo', 5: 'keyPackage' } as const;
const CONTENT_TYPES = { 1: 'application', 2: 'proposal', 3: 'commit' } as const;
const SENDERS = { 1: 'member', 2: 'external', 3: 'newMemberProposal', 4: 'newMemberCommit' } as const;
const KEY_PACKAGE_SOURCE = 1;
const BASIC_CREDENTIAL = 1;

export type ContentType = (typeof CONTENT_TYPES)[keyof typeof CONTENT_TYPES];
export type SenderType = (typeof SENDERS)[keyof typeof SENDERS];

/** A message of a group (6): of what is public, the sender too. */
export interface GroupMessage {
  kind: 'public' | 'private';
  groupId: string;
  epoch: number;
  contentType: ContentType;
  sender: SenderType | null;
}
/** 12.4.3.1: whom it lets in, by the references of their key packages. */
export interface Welcome {
  kind: 'welcome';
  cipherSuite: number;
  refs: Buffer[];
}
/** 12.4.3: what a new device needs to come in by itself. */
export interface GroupInfo {
  kind: 'groupInfo';
  cipherSuite: number;
  groupId: string;
  epoch: number;
}
/** 10: what somebody needs to let a device in. */
export interface KeyPackage {
  kind: 'keyPackage';
  cipherSuite: number;
  /** 5.2. */
  ref: Buffer;
  signatureKey: Buffer;
  /** Of a basic credential, as UTF-8. */
  identity: string;
  notAfter: Date;
  /** Its owner has signed it. */
  signed: boolean;
}
export type MlsMessage = GroupMessage | Welcome | GroupInfo | KeyPackage;

/** Reads an MLSMessage (6), which must fill the bytes. Of a public message no more than its header is looked at: who is in the group checks the rest. */
export function readMlsMessage(bytes: Buffer): MlsMessage {
  const input = new Input(bytes);
  if (input.uint16() !== MLS_10) throw new MlsFormatError('It is not of MLS 1.0.');
  const kind = named(WIRE_FORMATS, input.uint16(), 'wire format');
  switch (kind) {
    case 'public':
      return publicMessage(input);
    case 'private':
      return ended(input, privateMessage(input));
    case 'welcome':
      return ended(input, welcome(input));
    case 'groupInfo':
      return ended(input, groupInfo(input));
    case 'keyPackage':
      return ended(input, keyPackage(input, bytes));
  }
}

function publicMessage(input: Input): GroupMessage {
  const groupId = input.text();
  const epoch = input.uint64();
  const sender = named(SENDERS, input.uint8(), 'sender');
  if (sender === 'member' || sender === 'external') input.skip(4);
  input.vector();
  return { kind: 'public', groupId, epoch, sender, contentType: named(CONTENT_TYPES, input.uint8(), 'content type') };
}

function privateMessage(input: Input): GroupMessage {
  const message: GroupMessage = { kind: 'private', groupId: input.text(), epoch: input.uint64(), sender: null, contentType: named(CONTENT_TYPES, input.uint8(), 'content type') };
  for (let part = 0; part < 3; part++) input.vector(); // authenticated data, encrypted sender, ciphertext
  return message;
}

function welcome(input: Input): Welcome {
  const cipherSuite = input.uint16();
  const secrets = new Input(input.vector());
  const refs: Buffer[] = [];
  while (secrets.left) {
    refs.push(secrets.vector());
    secrets.vector(); // HPKECiphertext: kem output, ciphertext
    secrets.vector();
  }
  input.vector();
  return { kind: 'welcome', cipherSuite, refs };
}

function groupInfo(input: Input): GroupInfo {
  if (input.uint16() !== MLS_10) throw new MlsFormatError('It is not of MLS 1.0.');
  const cipherSuite = input.uint16();
  const groupId = input.text();
  const epoch = input.uint64();
  for (let part = 0; part < 5; part++) input.vector(); // tree hash, transcript hash, extensions; extensions; confirmation tag
  input.skip(4);
  input.vector();
  return { kind: 'groupInfo', cipherSuite, groupId, epoch };
}

function keyPackage(input: Input, bytes: Buffer): KeyPackage {
  const start = input.at;
  if (input.uint16() !== MLS_10) throw new MlsFormatError('It is not of MLS 1.0.');
  const cipherSuite = input.uint16();
  input.vector(); // init key
  input.vector(); // encryption key
  const signatureKey = input.vector();
  if (input.uint16() !== BASIC_CREDENTIAL) throw new MlsFormatError('Its credential is not a basic one.');
  const identity = input.text();
  for (let part = 0; part < 5; part++) input.vector(); // capabilities
  if (input.uint8() !== KEY_PACKAGE_SOURCE) throw new MlsFormatError('Its leaf is not that of a key package.');
  input.uint64();
  // Whoever means "for ever" gives more milliseconds than a Date holds.
  const notAfter = new Date(Math.min(input.uint64() * 1000, MAX_TIME));
  input.vector(); // extensions of the leaf
  input.vector(); // signature of the leaf
  input.vector(); // extensions
  const tbs = bytes.subarray(start, input.at);
  const signature = input.vector();
  return { kind: 'keyPackage', cipherSuite, signatureKey, identity, notAfter, ref: refOf(bytes.subarray(start, input.at)), signed: isSignedBy(signatureKey, 'KeyPackageTBS', tbs, signature) };
}

const MAX_TIME = 8.64e15;

/** 5.2, with SHA-256. */
const refOf = (value: Buffer): Buffer => hash('sha256', Buffer.concat([vectorOf(Buffer.from('MLS 1.0 KeyPackage Reference')), vectorOf(value)]), 'buffer');

/** 5.1.2, with Ed25519. */
function isSignedBy(key: Buffer, label: string, content: Buffer, signature: Buffer): boolean {
  if (key.length !== 32 || signature.length !== 64) return false;
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: key.toString('base64url') }, format: 'jwk' });
  return verify(null, Buffer.concat([vectorOf(Buffer.from(`MLS 1.0 ${label}`)), vectorOf(content)]), publicKey, signature);
}

/** A vector with its length before it (2.1.2). */
function vectorOf(value: Buffer): Buffer {
  const { length } = value;
  if (length < 1 << 6) return Buffer.concat([Buffer.from([length]), value]);
  const head = Buffer.alloc(length < 1 << 14 ? 2 : 4);
  if (length < 1 << 14) head.writeUInt16BE(length | 0x4000);
  else head.writeUInt32BE((length | 0x80000000) >>> 0);
  return Buffer.concat([head, value]);
}

function ended<Message>(input: Input, message: Message): Message {
  if (input.left) throw new MlsFormatError('There is something behind its end.');
  return message;
}

function named<Value>(names: Readonly<Record<number, Value>>, value: number, what: string): Value {
  const name = names[value];
  if (name === undefined) throw new MlsFormatError(`There is no ${what} ${value}.`);
  return name;
}

/** Bytes that are read from the front. */
class Input {
  at = 0;
  constructor(private readonly bytes: Buffer) {}

  get left(): number {
    return this.bytes.length - this.at;
  }
  skip(count: number): number {
    if (this.left < count) throw new MlsFormatError('It ends too early.');
    this.at += count;
    return this.at - count;
  }
  uint8(): number {
    return this.bytes.readUInt8(this.skip(1));
  }
  uint16(): number {
    return this.bytes.readUInt16BE(this.skip(2));
  }
  uint64(): number {
    const value = Number(this.bytes.readBigUInt64BE(this.skip(8)));
    return Number.isSafeInteger(value) ? value : Number.MAX_SAFE_INTEGER;
  }
  /** 2.1.2: the length takes 1, 2 or 4 bytes, as few as it can. */
  vector(): Buffer {
    const first = this.uint8();
    const size = 1 << (first >> 6);
    if (size > 4) throw new MlsFormatError('There is no such length.');
    let length = first & 0x3f;
    for (let byte = 1; byte < size; byte++) length = length * 256 + this.uint8();
    if (size > 1 && length < (size === 2 ? 1 << 6 : 1 << 14)) throw new MlsFormatError('A length takes more bytes than it needs.');
    const start = this.skip(length);
    return this.bytes.subarray(start, start + length);
  }
  text(): string {
    return this.vector().toString('utf8');
  }
}
