import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  createApplicationMessage, createCommit, createGroup, createGroupInfoWithExternalPubAndRatchetTree, defaultCapabilities, encodeMlsMessage, generateKeyPackage, getCiphersuiteFromName, getCiphersuiteImpl,
  joinGroupExternal, type CiphersuiteImpl, type KeyPackage, type PrivateKeyPackage,
} from 'ts-mls';
import { CIPHER_SUITE, MlsFormatError, readMlsMessage } from './mls-wire.js';

type Keys = { publicPackage: KeyPackage; privatePackage: PrivateKeyPackage };

/** What another implementation writes, this one reads. */
describe('reading MLS', () => {
  let suite: CiphersuiteImpl;
  const keys = (identity: string): Promise<Keys> => generateKeyPackage({ credentialType: 'basic', identity: Buffer.from(identity) }, defaultCapabilities(), { notBefore: 0n, notAfter: 4_000_000_000n }, [], suite);
  const wire = (message: Parameters<typeof encodeMlsMessage>[0]) => Buffer.from(encodeMlsMessage(message));
  const samples: Record<string, Buffer> = {};
  let ann: Keys;
  let bob: Keys;

  before(async () => {
    suite = await getCiphersuiteImpl(getCiphersuiteFromName('MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519'));
    ann = await keys('ann');
    bob = await keys('bob, whose name is so long that its length takes two bytes: ' + 'x'.repeat(80));
    const made = await createGroup(Buffer.from('a group'), ann.publicPackage, ann.privatePackage, [], suite);
    const commit = await createCommit({ state: made, cipherSuite: suite }, { extraProposals: [{ proposalType: 'add', add: { keyPackage: bob.publicPackage } }], ratchetTreeExtension: true });
    const info = await createGroupInfoWithExternalPubAndRatchetTree(commit.newState, [], suite);
    const outside = await joinGroupExternal(info, (await keys('carol')).publicPackage, (await keys('carol')).privatePackage, false, suite);
    const said = await createApplicationMessage(commit.newState, Buffer.from('hello'), suite);
    Object.assign(samples, {
      keyPackage: wire({ version: 'mls10', wireformat: 'mls_key_package', keyPackage: bob.publicPackage }),
      commit: wire(commit.commit),
      welcome: wire({ version: 'mls10', wireformat: 'mls_welcome', welcome: commit.welcome! }),
      groupInfo: wire({ version: 'mls10', wireformat: 'mls_group_info', groupInfo: info }),
      outside: wire({ version: 'mls10', wireformat: 'mls_public_message', publicMessage: outside.publicMessage }),
      said: wire({ version: 'mls10', wireformat: 'mls_private_message', privateMessage: said.privateMessage }),
    });
  });

  it('reads what ts-mls writes', () => {
    assert.deepEqual(readMlsMessage(samples['said']!), { kind: 'private', groupId: 'a group', epoch: 1, contentType: 'application', sender: null });
    assert.deepEqual(readMlsMessage(samples['commit']!), { kind: 'private', groupId: 'a group', epoch: 0, contentType: 'commit', sender: null });
    assert.deepEqual(readMlsMessage(samples['outside']!), { kind: 'public', groupId: 'a group', epoch: 1, contentType: 'commit', sender: 'newMemberCommit' });
    assert.deepEqual(readMlsMessage(samples['groupInfo']!), { kind: 'groupInfo', cipherSuite: CIPHER_SUITE, groupId: 'a group', epoch: 1 });
  });

  it('knows a key package by the reference that the welcome has of it, and by its signature', () => {
    const found = readMlsMessage(samples['keyPackage']!);
    const welcome = readMlsMessage(samples['welcome']!);
    assert.ok(found.kind === 'keyPackage' && welcome.kind === 'welcome');
    assert.deepEqual(welcome, { kind: 'welcome', cipherSuite: CIPHER_SUITE, refs: [found.ref] });
    assert.deepEqual([found.cipherSuite, found.signed, found.notAfter], [CIPHER_SUITE, true, new Date(4_000_000_000_000)]);
    assert.match(found.identity, /^bob, .*x{80}$/);
    assert.ok(found.signatureKey.equals(bob.publicPackage.leafNode.signaturePublicKey));
    const bent = Buffer.from(samples['keyPackage']!);
    const at = bent.indexOf('bob');
    bent[at] = bent[at]! ^ 1;
    const other = readMlsMessage(bent);
    assert.ok(other.kind === 'keyPackage' && !other.signed && !other.ref.equals(found.ref));
  });

  it('refuses what is cut short or goes on, and never fails otherwise', () => {
    for (const [name, bytes] of Object.entries(samples)) {
      // Of a public message no more than the header is read.
      if (name !== 'outside') for (let length = 0; length < bytes.length; length++) assert.throws(() => readMlsMessage(bytes.subarray(0, length)), MlsFormatError, `${name} to ${length}`);
      if (name !== 'outside') assert.throws(() => readMlsMessage(Buffer.concat([bytes, Buffer.from([0])])), MlsFormatError);
    }
    const read = (bytes: Buffer) => {
      try {
        readMlsMessage(bytes);
      } catch (error) {
        assert.ok(error instanceof MlsFormatError, String(error));
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => read(Buffer.from(bytes))), { numRuns: 2_000 });
    fc.assert(fc.property(fc.constantFrom(1, 2, 3, 4, 5), fc.uint8Array({ maxLength: 400 }), (kind, rest) => read(Buffer.from([0, 1, 0, kind, ...rest]))), { numRuns: 5_000 });
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(samples)), fc.nat(), fc.nat(255), (name, at, value) => {
        const bytes = Buffer.from(samples[name]!);
        bytes[at % bytes.length] = value;
        read(bytes);
      }),
      { numRuns: 5_000 },
    );
  });
});
