import type { DocumentPartsFragment, EventStream, InboxEvent, MessagePartsFragment } from '../../sdk/index.js';
import { StatusShelf } from './status-shelf.js';
import type { Person } from './world.js';

/** What a client keeps of a message. What it resolves by itself (people, the message that is replied to) stands by id. */
interface MessageState {
  id: string;
  seq: number;
  version: number;
  threadRoot: string | null;
  replyTo: string | null;
  shown: object;
}

interface ChatState {
  fields: { title: string | null; memberCount: number };
  members: Map<string, string>;
  messages: Map<string, MessageState>;
  pins: Set<string>;
  documents: Map<string, DocumentPartsFragment>;
  settings: unknown;
  /** The call that goes on. */
  call: { id: string; kind: string } | null;
}

const idOf = (user: { id: string }): string => user.id;

function stateOf(message: MessagePartsFragment): MessageState {
  // Ciphertext comes with events, and is asked for by itself in lists: test/e2e/encryption.spec.ts compares it.
  const { encrypted: _ciphertext, ...plain } = message as MessagePartsFragment & { encrypted?: unknown };
  const { id, seq, version, sender, replyTo, threadRoot, thread, mentions, forwardedFrom, system, ...rest } = plain;
  return {
    id, seq, version,
    threadRoot: threadRoot?.id ?? null,
    replyTo: replyTo?.id ?? null,
    shown: {
      ...rest,
      sender: sender.id,
      thread: thread ?? null,
      mentions: mentions.map(idOf),
      forwardedFrom: forwardedFrom && { sender: forwardedFrom.sender?.id ?? null, sentAt: forwardedFrom.sentAt },
      system: system && { ...system, subjects: system.subjects.map(idOf) },
    },
  };
}

const settingsOf = (state: Record<string, unknown> | null | undefined) =>
  state ? { muted: state['muted'], mutedUntil: state['mutedUntil'] ?? null, pinned: state['pinned'], archived: state['archived'], draft: state['draft'] ?? null, draftUpdatedAt: state['draftUpdatedAt'] ?? null } : null;
const callOf = (call: { id: string; kind: string } | null | undefined) => (call ? { id: call.id, kind: call.kind } : null);
const contactOf = ({ name, mutual }: { name?: string | null; mutual: boolean }) => ({ name: name ?? null, mutual });
const botOf = ({ user, tools, languages, commands }: { user: { displayName: string }; tools: string[]; languages: string[]; commands: object[] }, settings?: object | null) => ({ name: user.displayName, tools, languages, commands, settings });
const sorted = <Value>(values: Iterable<readonly [string, Value]>): [string, Value][] => [...values].map(([key, value]): [string, Value] => [key, value]).sort(([a], [b]) => (a < b ? -1 : 1));

/** Everything that a person's client shows, as plain values to be compared. */
export type Snapshot = Record<string, unknown>;

/** Reads a person's whole state by the API. With it come the cursors from which its events are followed: read first. */
export class Refetch {
  readonly chats = new Map<string, ChatState>();
  readonly marks = new Map<string, { starred: boolean; hidden: boolean }>();
  readonly contacts = new Map<string, unknown>();
  readonly blocked = new Set<string>();
  readonly groups = new Map<string, unknown>();
  readonly scheduled = new Map<string, unknown>();
  /** Those that one has made, and those of one's shops. */
  readonly orders = new Map<string, unknown>();
  readonly calls = new Map<string, unknown>();
  readonly statuses = new StatusShelf();
  readonly bots = new Map<string, unknown>();
  own: { account: unknown; profile: unknown; privacy: unknown } = { account: null, profile: null, privacy: null };
  readonly cursors: string[] = [];

  constructor(protected readonly person: Person) {}

  async read(): Promise<this> {
    const { api } = this.person;
    const { viewer } = await api.viewer();
    this.cursors.push(viewer!.eventCursor);
    const list = (await api.viewerChats({ first: 100 })).viewer!.chats;
    this.cursors.push(...list.edges.map(({ node }) => node.eventCursor));
    await Promise.all(list.edges.map(({ node }) => this.readChat(node.id)));
    for (const { node } of (await api.starredMessages({ first: 100 })).viewer!.starredMessages.edges) this.marks.set(node.id, { starred: true, hidden: false });
    for (const { node } of (await api.contacts({ first: 100 })).viewer!.contacts.edges) this.contacts.set(node.user.id, contactOf(node));
    for (const { node } of (await api.blockedUsers({ first: 100 })).viewer!.blockedUsers.edges) this.blocked.add(node.id);
    for (const { node } of (await api.viewerGroups({ first: 100 })).viewer!.groups.edges) {
      const { viewerState: _own, ...group } = node;
      this.groups.set(node.id, group);
    }
    for (const { node } of (await api.ownOrders({ first: 100 })).viewer!.orders.edges) this.orders.set(node.id, node);
    for (const { node: shop } of (await api.ownShops({ first: 100 })).viewer!.shops.edges) {
      for (const { node } of (await api.shopOrders({ shopId: shop.id, first: 100 })).shopOrders!.edges) this.orders.set(node.id, node);
    }
    for (const { node } of (await api.scheduledMessages({ first: 100, states: ['WAITING', 'SENT', 'FAILED', 'CANCELLED'] })).viewer!.scheduledMessages.edges) {
      const { chat: _chat, message: _message, ...scheduled } = node;
      this.scheduled.set(node.id, scheduled);
    }
    for (const { node } of (await api.callLog({ first: 100 })).viewer!.callLog.edges) this.calls.set(node.callId, node);
    await this.statuses.read(this.person);
    for (const { node } of (await api.bots({ first: 100 })).viewer!.bots.edges) this.bots.set(node.id, botOf(node, node.settings));
    const { user } = await api.user({ id: this.person.id });
    const { privacy } = (await api.privacy()).viewer!;
    this.own = {
      account: { email: viewer!.email, emailVerified: viewer!.emailVerified, phone: viewer!.phone, roles: viewer!.roles },
      profile: { id: user!.id, handle: user!.handle, displayName: user!.displayName, kind: user!.kind, about: user!.about },
      privacy,
    };
    return this;
  }

  protected async readChat(id: string): Promise<void> {
    const { api } = this.person;
    const line = (await api.chatLine({ id })).chat;
    if (!line) return;
    const chat: ChatState = { fields: { title: line.title ?? null, memberCount: line.memberCount }, members: new Map(), messages: new Map(), pins: new Set(), documents: new Map(), settings: settingsOf(line.viewerState), call: callOf((await api.activeCall({ chatId: id })).chat?.activeCall) };
    for (const { node } of (await api.chatMembers({ id, first: 100 })).chat?.members.edges ?? []) chat.members.set(node.user.id, node.role);
    for (const { node } of (await api.chatMessages({ id, last: 100 })).chat?.messages.edges ?? []) {
      chat.messages.set(node.id, stateOf(node));
      if (!node.thread?.count) continue;
      const { node: root } = await api.messageThread({ id: node.id, first: 100 });
      if (root && 'thread' in root) for (const { node: answer } of root.thread!.messages.edges) chat.messages.set(answer.id, stateOf(withoutViewer(answer)));
    }
    for (const { node } of (await api.pinnedMessages({ chatId: id, first: 100 })).chat?.pinnedMessages.edges ?? []) chat.pins.add(node.id);
    for (const { node } of (await api.chatDocuments({ chatId: id, first: 100 })).chat?.documents.edges ?? []) chat.documents.set(node.id, node);
    this.chats.set(id, chat);
  }

  snapshot(): Snapshot {
    const hidden = (id: string) => this.marks.get(id)?.hidden === true;
    return lasting({
      ...this.own,
      contacts: sorted(this.contacts),
      blocked: [...this.blocked].sort(),
      groups: sorted(this.groups),
      scheduled: sorted(this.scheduled),
      orders: sorted(this.orders),
      calls: sorted(this.calls),
      statuses: this.statuses.snapshot(),
      bots: sorted(this.bots),
      starred: [...this.marks].filter(([, mark]) => mark.starred).map(([id]) => id).sort(),
      chats: sorted(this.chats).map(([id, chat]) => ({
        id,
        ...chat.fields,
        settings: chat.settings,
        call: chat.call,
        members: sorted(chat.members),
        documents: sorted(chat.documents),
        pins: [...chat.pins].filter((pin) => !hidden(pin)).sort(),
        messages: [...chat.messages.values()]
          .filter((message) => !hidden(message.id))
          .sort((a, b) => a.seq - b.seq)
          .map(({ shown, ...message }) => ({ ...message, ...(shown as { replyTo?: never }) })),
      })),
    });
  }
}

/** Without the end and the signature of links to files: what was read at other times has others, of the same file. */
const lasting = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value, (_key, part: unknown) => (typeof part === 'string' ? part.replace(/(\/files\/[^/]+\/[^/]+)\/\d{10}\/[\w-]{43}$/, '$1') : part)));

function withoutViewer(message: MessagePartsFragment & { viewerState?: unknown }): MessagePartsFragment {
  const { viewerState: _own, ...parts } = message;
  return parts;
}

/** A client's state built from events alone, but for what it reads when it comes into a chat. */
export class Replica extends Refetch {
  readonly seen = new Set<string>();
  stream: EventStream<InboxEvent> | null = null;
  #reading: Promise<void> = Promise.resolve();
  /** By stream: where to go on. */
  readonly #places = new Map<string, string>();
  failure: unknown = null;

  static async open(person: Person): Promise<Replica> {
    const replica = new Replica(person);
    await replica.read();
    for (const cursor of replica.cursors) replica.#moveTo(cursor);
    replica.connect();
    return replica;
  }

  /** Follows the events from where it stands. */
  connect(): void {
    this.stream = this.person.client.inboxEvents([...this.#places.values()]);
    const { stream } = this;
    this.#reading = (async () => {
      for await (const event of stream) await this.#apply(event);
    })().catch((error: unknown) => void (this.failure = error));
  }

  async disconnect(): Promise<void> {
    this.stream?.close();
    this.stream = null;
    await this.#reading;
  }

  async #apply(event: InboxEvent): Promise<void> {
    this.seen.add(event.__typename);
    if (event.__typename === 'InboxCheckpoint') {
      for (const cursor of event.cursors) this.#moveTo(cursor);
      return;
    }
    if (event.__typename === 'ResyncRequired') throw new Error(`told to read again: ${event.reason}`);
    if (event.__typename === 'ChatAdded') {
      await this.readChat(event.chatId);
      // What was said before is not theirs; what has been said since is told by events.
      this.chats.get(event.chatId)?.messages.clear();
      if (event.chatCursor) this.#moveTo(event.chatCursor);
    } else this.#change(event);
    this.#moveTo(event.cursor);
  }

  #moveTo(cursor: string): void {
    this.#places.set(Buffer.from(cursor, 'base64url').toString().split('|')[0]!, cursor);
  }

  #change(event: InboxEvent): void {
    const chat = 'chatId' in event ? this.chats.get(event.chatId) : undefined;
    switch (event.__typename) {
      case 'MessageSent':
      case 'MessageUpdated':
      case 'MessageDeleted': {
        if (!event.message || !chat) return;
        const message = stateOf(event.message);
        if ((chat.messages.get(message.id)?.version ?? 0) <= message.version) chat.messages.set(message.id, message);
        if (event.__typename === 'MessageDeleted') chat.pins.delete(message.id);
        return;
      }
      case 'ReactionsChanged': {
        const message = chat?.messages.get(event.messageId);
        if (!message || !event.message || event.message.version < message.version) return;
        message.version = event.message.version;
        message.shown = { ...message.shown, reactions: event.reactions };
        return;
      }
      case 'PinnedMessagesChanged':
        return void (event.pinned ? chat?.pins.add(event.messageId) : chat?.pins.delete(event.messageId));
      case 'MemberJoined':
      case 'MemberUpdated':
        if (chat && event.member) chat.members.set(event.userId, event.member.role);
        if (chat && event.__typename === 'MemberJoined') chat.fields.memberCount = event.memberCount;
        return;
      case 'MemberLeft':
        chat?.members.delete(event.userId);
        if (chat) chat.fields.memberCount = event.memberCount;
        return;
      case 'ChatUpdated':
        if (chat) chat.fields = { title: event.chat.title ?? null, memberCount: event.chat.memberCount };
        return;
      case 'DocumentChanged':
        return void (event.document ? chat?.documents.set(event.documentId, event.document) : chat?.documents.delete(event.documentId));
      case 'GroupBuyChanged': {
        const { id, state, quantity, participantCount, deadline } = event.groupBuy;
        for (const message of chat?.messages.values() ?? []) {
          const { card } = message.shown as { card?: { __typename: string; groupBuyId?: string } | null };
          if (card?.groupBuyId === id) message.shown = { ...message.shown, card: { ...card, groupBuy: { id, state, quantity, participantCount, deadline } } } as typeof message.shown;
        }
        return;
      }
      case 'ChatRemoved':
        return void this.chats.delete(event.chatId);
      case 'ChatSettingsChanged':
        if (chat) chat.settings = settingsOf(event.settings);
        return;
      case 'MessageMarksChanged':
        return void this.marks.set(event.messageId, { starred: event.starred, hidden: event.deletedForViewer });
      case 'StatusPosted':
      case 'StatusDeleted':
      case 'StatusViewed':
      case 'StatusMarksChanged':
      case 'StatusMuteChanged':
      case 'StatusHighlightChanged':
        return this.statuses.apply(event);
      case 'ContactChanged':
        if (!event.contact?.mutual) this.statuses.dropAuthor(event.userId);
        return void (event.contact ? this.contacts.set(event.userId, contactOf(event.contact)) : this.contacts.delete(event.userId));
      case 'BlockChanged':
        return void (event.blocked ? this.blocked.add(event.userId) : this.blocked.delete(event.userId));
      case 'GroupChanged':
        return void (event.group ? this.groups.set(event.groupId, event.group) : this.groups.delete(event.groupId));
      case 'BotChanged':
        return void (event.bot ? this.bots.set(event.botId, botOf(event.bot, event.settings)) : this.bots.delete(event.botId));
      case 'OrderChanged':
        return void this.orders.set(event.orderId, event.order);
      case 'ScheduledMessageChanged':
        return void (event.scheduledMessage ? this.scheduled.set(event.scheduledMessageId, event.scheduledMessage) : this.scheduled.delete(event.scheduledMessageId));
      case 'ProfileChanged':
        this.own = { ...this.own, profile: event.user, privacy: event.privacy };
        return;
      case 'AccountChanged':
        this.own = { ...this.own, account: { email: event.email, emailVerified: event.emailVerified, phone: event.phone, roles: event.roles } };
        return;
      case 'CallStarted':
        if (chat && event.call.state !== 'ENDED') chat.call = callOf(event.call);
        return;
      case 'CallEnded':
        if (chat?.call?.id === event.callId) chat.call = null;
        return;
      case 'CallLogChanged':
        return void (event.entry ? this.calls.set(event.callId, event.entry) : this.calls.delete(event.callId));
      case 'ReceiptsChanged':
      case 'ViewerReceiptChanged':
      case 'ModerationCaseChanged':
      case 'SupportCaseChanged':
      case 'ButtonPressed':
      case 'FormSubmitted':
      case 'CallbackAnswered':
      case 'IncomingCall':
      case 'CallRingEnded':
      case 'SessionsChanged':
      case 'EncryptionCommitted':
      case 'EncryptionChanged':
      case 'WelcomeAdded':
      case 'KeyPackagesLow':
      case 'FileChanged':
      case 'NotificationAdded':
      case 'NotificationsRead':
      case 'NotificationPreferencesChanged':
      case 'ChatAdded':
      case 'InboxCheckpoint':
      case 'ResyncRequired':
        return;
    }
  }
}
