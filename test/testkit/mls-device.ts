import assert from 'node:assert/strict';
import {
  acceptAll, createApplicationMessage, createCommit, createGroup, createGroupInfoWithExternalPubAndRatchetTree, decodeMlsMessage, defaultCapabilities, emptyPskIndex, encodeMlsMessage, generateKeyPackageWithKey,
  getCiphersuiteFromName, getCiphersuiteImpl, joinGroup, joinGroupExternal, processMessage, type CiphersuiteImpl, type ClientState, type KeyPackage, type PrivateKeyPackage, type Proposal,
} from 'ts-mls';
import { fromBase64, toBase64 } from '../../sdk/bytes.js';
import { OmniTalkError } from '../../sdk/index.js';
import { eventually, type Person, type World } from './world.js';

interface Keys {
  publicPackage: KeyPackage;
  privatePackage: PrivateKeyPackage;
}
interface Pending {
  state: ClientState;
  input: { commit: string; welcome: string | null; groupInfo: string };
}
/** What was said, as a device could read it: null is what it could not. */
export interface Said {
  seq: number;
  text: string | null;
}

const SUITE = 'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519';
const YEAR_S = 31_536_000n;
const wire = (message: Parameters<typeof encodeMlsMessage>[0]): string => toBase64(encodeMlsMessage(message));
const unwire = (content: string) => decodeMlsMessage(fromBase64(content), 0)![0];
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** A device of somebody in encrypted chats, with ts-mls for what is secret and the SDK for everything else: what an app for people does, in short. */
export class MlsDevice {
  /** What this device knows of each chat's group. */
  readonly groups = new Map<string, ClientState>();
  readonly #keys: Keys[] = [];

  private constructor(
    readonly world: World,
    readonly person: Person,
    readonly id: string,
    private readonly suite: CiphersuiteImpl,
    private readonly signature: { signKey: Uint8Array; publicKey: Uint8Array },
  ) {}

  get api(): Person['api'] {
    return this.person.api;
  }
  get signatureKey(): Uint8Array {
    return this.signature.publicKey;
  }

  /** Registers the session of a person as a device, with so many key packages. */
  static async of(world: World, person: Person, packages = 5): Promise<MlsDevice> {
    const device = await MlsDevice.unregistered(world, person);
    await device.api.registerDevice({ input: { keyPackages: await device.packages(packages) } });
    return device;
  }

  static async unregistered(world: World, person: Person): Promise<MlsDevice> {
    const suite = await getCiphersuiteImpl(getCiphersuiteFromName(SUITE));
    const { viewer } = await person.api.myDevice();
    return new MlsDevice(world, person, viewer!.deviceId!, suite, await suite.signature.keygen());
  }

  async packages(count: number, identity = `${this.person.id}/${this.id}`): Promise<string[]> {
    const made: string[] = [];
    for (let n = 0; n < count; n++) {
      const keys = await this.#newKeys(identity);
      this.#keys.push(keys);
      made.push(wire({ version: 'mls10', wireformat: 'mls_key_package', keyPackage: keys.publicPackage }));
    }
    return made;
  }

  #newKeys(identity = `${this.person.id}/${this.id}`): Promise<Keys> {
    const now = BigInt(Math.floor(Date.now() / 1000));
    return generateKeyPackageWithKey({ credentialType: 'basic', identity: Buffer.from(identity) }, defaultCapabilities(), { notBefore: now - 3_600n, notAfter: now + YEAR_S / 4n }, [], this.signature, this.suite);
  }

  /** Makes the group of a chat, with this device alone in it. */
  async found(chatId: string, groupId?: string): Promise<void> {
    const { state, groupInfo } = await this.newGroup(groupId ?? (await this.api.mlsGroup({ chatId })).chat!.mls!.groupId!);
    await this.api.createMlsGroup({ input: { chatId, groupInfo } });
    this.groups.set(chatId, state);
  }

  async newGroup(groupId: string): Promise<{ state: ClientState; groupInfo: string }> {
    const keys = await this.#newKeys();
    const state = await createGroup(Buffer.from(groupId), keys.publicPackage, keys.privatePackage, [], this.suite);
    return { state, groupInfo: await this.#groupInfo(state) };
  }

  /** Comes in by itself. */
  async joinFromOutside(chatId: string): Promise<void> {
    const { mls } = (await this.api.mlsGroup({ chatId })).chat!;
    const info = unwire(mls!.groupInfo!);
    assert.ok(info.wireformat === 'mls_group_info');
    const keys = await this.#newKeys();
    const { publicMessage, newState } = await joinGroupExternal(info.groupInfo, keys.publicPackage, keys.privatePackage, this.groups.has(chatId), this.suite);
    await this.api.commitMlsGroup({ input: { chatId, commit: wire({ version: 'mls10', wireformat: 'mls_public_message', publicMessage }), groupInfo: await this.#groupInfo(newState) } });
    this.groups.set(chatId, newState);
  }

  /** Takes up the welcomes that wait, then the commits that it has missed. */
  async catchUp(chatId: string): Promise<void> {
    if (!this.groups.has(chatId)) await this.#takeWelcomes();
    for (let more = true; more && this.groups.has(chatId); ) {
      const { commits } = (await this.api.mlsCommits({ chatId, fromEpoch: this.epoch(chatId) })).chat!.mls!;
      for (const { node } of commits.edges) await this.apply(chatId, node.content!);
      more = commits.pageInfo.hasNextPage;
    }
  }

  async apply(chatId: string, content: string): Promise<void> {
    const message = unwire(content);
    assert.ok(message.wireformat === 'mls_private_message' || message.wireformat === 'mls_public_message');
    const result = await processMessage(message, this.groups.get(chatId)!, emptyPskIndex, acceptAll, this.suite);
    this.groups.set(chatId, result.newState);
  }

  async #takeWelcomes(): Promise<void> {
    const { welcomes } = (await this.api.welcomes()).viewer!;
    for (const { node } of welcomes.edges) {
      const message = unwire(node.content!);
      assert.ok(message.wireformat === 'mls_welcome');
      for (const keys of this.#keys) {
        const state = await joinGroup(message.welcome, keys.publicPackage, keys.privatePackage, emptyPskIndex, this.suite).catch(() => null);
        if (state) this.groups.set(node.chat!.id!, state);
      }
    }
    await this.api.forgetWelcomes({ input: { welcomeIds: welcomes.edges.map(({ node }) => node.id!) } });
  }

  epoch(chatId: string): number {
    return Number(this.groups.get(chatId)!.groupContext.epoch);
  }

  /** The devices in the group, as this one sees them: not as the server says. */
  members(chatId: string): string[] {
    return this.#leaves(chatId).map(({ identity }) => identity.split('/')[1]!).sort();
  }

  #leaves(chatId: string): { index: number; identity: string; signatureKey: Uint8Array }[] {
    return this.groups.get(chatId)!.ratchetTree.flatMap((node, at) => {
      if (node?.nodeType !== 'leaf' || node.leaf.credential.credentialType !== 'basic') return [];
      return [{ index: at / 2, identity: text(node.leaf.credential.identity), signatureKey: node.leaf.signaturePublicKey }];
    });
  }

  /** Adds the devices of members that are missing, and removes those that are gone; again after a commit that came too late. Answers the epoch. */
  async settle(chatId: string): Promise<number> {
    for (;;) {
      await this.catchUp(chatId);
      const { devices } = (await this.api.mlsDevices({ chatId, first: 100 })).chat!.mls!;
      const of = (state: string) => devices.edges.filter(({ node }) => node.state === state).map(({ node }) => node.device!.id!);
      const [missing, gone] = [of('MISSING'), of('GONE')];
      // Who has no key package left is let in when there are some: EncryptionChanged says so.
      const ready = (await this.#claimed(chatId, missing)).map(({ deviceId }) => deviceId!);
      if (!ready.length && !gone.length) return this.epoch(chatId);
      try {
        await this.change(chatId, ready, gone);
      } catch (error) {
        if (!(error instanceof OmniTalkError) || error.code !== 'EPOCH_CONFLICT') throw error;
      }
    }
  }

  async #claimed(chatId: string, deviceIds: string[]) {
    return deviceIds.length ? (await this.api.claimKeyPackages({ input: { chatId, deviceIds } })).claimKeyPackages.keyPackages : [];
  }

  async change(chatId: string, added: string[], removed: string[]): Promise<void> {
    const pending = await this.prepare(chatId, added, removed);
    await this.api.commitMlsGroup({ input: { chatId, ...pending.input, removedDeviceIds: removed } });
    this.groups.set(chatId, pending.state);
  }

  /** A commit that has not been sent yet. */
  async prepare(chatId: string, added: string[], removed: string[]): Promise<Pending> {
    const proposals: Proposal[] = (await this.#claimed(chatId, added)).map(({ content }) => {
      const message = unwire(content!);
      assert.ok(message.wireformat === 'mls_key_package');
      return { proposalType: 'add', add: { keyPackage: message.keyPackage } };
    });
    for (const id of removed) {
      const leaf = this.#leaves(chatId).find(({ identity }) => identity.endsWith(id));
      if (leaf) proposals.push({ proposalType: 'remove', remove: { removed: leaf.index } });
    }
    const { newState, commit, welcome } = await createCommit({ state: this.groups.get(chatId)!, cipherSuite: this.suite }, { extraProposals: proposals, ratchetTreeExtension: true });
    return { state: newState, input: { commit: wire(commit), welcome: welcome ? wire({ version: 'mls10', wireformat: 'mls_welcome', welcome }) : null, groupInfo: await this.#groupInfo(newState) } };
  }

  async #groupInfo(state: ClientState): Promise<string> {
    return wire({ version: 'mls10', wireformat: 'mls_group_info', groupInfo: await createGroupInfoWithExternalPubAndRatchetTree(state, [], this.suite) });
  }

  async encrypt(chatId: string, said: string): Promise<string> {
    const { newState, privateMessage } = await createApplicationMessage(this.groups.get(chatId)!, Buffer.from(said), this.suite);
    this.groups.set(chatId, newState);
    return wire({ version: 'mls10', wireformat: 'mls_private_message', privateMessage });
  }

  async say(chatId: string, said: string): Promise<{ id: string; seq: number }> {
    const { message } = (await this.api.sendEncryptedMessage({ input: { chatId, content: await this.encrypt(chatId, said), idempotencyKey: this.world.key() } })).sendEncryptedMessage;
    return { id: message.id!, seq: message.seq! };
  }

  /** The plaintext of what another device has said; null when this one cannot read it. */
  async decrypt(chatId: string, content: string): Promise<string | null> {
    const message = unwire(content);
    assert.ok(message.wireformat === 'mls_private_message');
    const state = this.groups.get(chatId);
    const result = state && (await processMessage(message, state, emptyPskIndex, acceptAll, this.suite).catch(() => null));
    if (!result || result.kind !== 'applicationMessage') return null;
    this.groups.set(chatId, result.newState);
    return text(result.message);
  }

  /**
   * The history behind a number as this device can read it, in order: what was said in an epoch is read in it, then its commit is applied. What it has said itself is left out: MLS gives
   * nobody the keys of their own messages.
   */
  async read(chatId: string, after = 0): Promise<Said[]> {
    const { messages } = (await this.api.encryptedMessages({ chatId, last: 100 })).chat!;
    if (!this.groups.has(chatId)) await this.#takeWelcomes();
    const said: Said[] = [];
    for (const { node } of messages.edges) {
      const body = node.encrypted;
      if (!body || node.seq! <= after || body.deviceId === this.id) continue;
      while (this.groups.has(chatId) && this.epoch(chatId) < body.epoch!) {
        const { edges } = (await this.api.mlsCommits({ chatId, fromEpoch: this.epoch(chatId), first: 1 })).chat!.mls!.commits;
        if (edges[0]?.node.epoch !== this.epoch(chatId)) break;
        await this.apply(chatId, edges[0].node.content!);
      }
      said.push({ seq: node.seq!, text: await this.decrypt(chatId, body.content!) });
    }
    await this.catchUp(chatId);
    return said;
  }
}

/** How each device stands in a chat's group, by its id. */
export async function devicesOf(device: MlsDevice, chatId: string): Promise<Record<string, string>> {
  const { devices } = (await device.api.mlsDevices({ chatId, first: 100 })).chat!.mls!;
  return Object.fromEntries(devices.edges.map(({ node }) => [node.device.id, node.state]));
}

/** Resolves when chats have been told of the devices that came or went. */
export const devicesTold = (world: World): Promise<void> =>
  eventually(async () => !(await world.sql(`select from graphile_worker.jobs where task_identifier = 'tell-of-devices'`)).length, 'chats have been told of devices');

/** Another session of somebody. */
export async function anotherDevice(world: World, person: Person, name: string): Promise<Person> {
  const { signIn } = await world.client().api.signIn({ input: { email: `${person.handle}@example.com`, password: `password of ${person.handle}`, device: name } });
  const client = world.client(signIn.accessToken);
  return { ...person, client, api: client.api, accessToken: signIn.accessToken, refreshToken: signIn.refreshToken, sessionId: signIn.session.id };
}

/** An encrypted chat of people, with its group made by the first device and everybody's devices in it. */
export async function encryptedChat(first: MlsDevice, others: Person[], kind: 'DIRECT' | 'GROUP' = 'GROUP'): Promise<string> {
  const { chat } = (await first.api.createChat({ input: { kind, encryption: 'MLS', memberIds: others.map(({ id }) => id), idempotencyKey: first.world.key() } })).createChat;
  await first.found(chat.id!);
  await first.settle(chat.id!);
  return chat.id!;
}
