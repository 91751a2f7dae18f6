import assert from 'node:assert/strict';
import type { ContactsQuery } from '../../sdk/index.js';
import { digest } from '../testkit/digest.js';
import { digitsIn } from '../testkit/outbox.js';
import { fails, take, World, type Person } from '../testkit/world.js';

type ContactPage = NonNullable<ContactsQuery['viewer']>['contacts'];

describe('contacts', () => {
  let world: World;
  let ann: Person;
  let bob: Person;
  let carol: Person;
  before(async () => {
    world = await World.start();
    [ann, bob, carol] = await world.people('Ann', 'Bob', 'Carol');
  });
  after(() => world.stop());

  const listed = async (person: Person) => (await person.api.contacts({ first: 100 })).viewer!.contacts.edges.map(({ node }) => [node.user.handle, node.name, node.mutual]);
  /** From here on, whatever is still on its way to other devices. */
  const inboxOf = async (person: Person) => person.client.inboxEvents([(await person.api.viewer({})).viewer!.eventCursor]);
  const add = async (person: Person, other: Person, name?: string | null) => (await person.api.addContact({ input: { userId: other.id, ...(name === undefined ? {} : { name }) } })).addContact.contact;

  it('somebody is added once, named, renamed, unnamed and removed; each change is told once', async () => {
    const inbox = await inboxOf(ann);
    assert.equal((await add(ann, bob, 'Bobby')).name, 'Bobby');
    assert.equal((await add(ann, bob)).name, 'Bobby', 'without a name it stays as it is');
    assert.deepEqual((await ann.api.user({ id: bob.id })).user!.viewerState, { isContact: true, isMutualContact: false, contactName: 'Bobby', blockedByViewer: false, presence: null });
    assert.equal((await add(ann, bob, null)).name, null);
    await ann.api.removeContact({ input: { userId: bob.id } });
    await ann.api.removeContact({ input: { userId: bob.id } });
    assert.deepEqual(await listed(ann), []);
    await add(ann, carol);
    const told = (await take(inbox, 4)).map((event) => (event.__typename === 'ContactChanged' ? [event.userId, event.contact?.name ?? null] : event.__typename));
    // Each tells what is so when it is delivered: only the last of one person is certain.
    assert.deepEqual(told.map(([userId]) => userId), [bob.id, bob.id, bob.id, carol.id]);
    assert.deepEqual(told[2], [bob.id, null]);
    await ann.api.removeContact({ input: { userId: carol.id } });
    inbox.close();
  });

  it('mutual is what both have, and the other hears when it becomes so or ends', async () => {
    await add(ann, bob);
    assert.deepEqual(await listed(bob), [], 'nobody learns that they are somebody’s contact');
    const inbox = await inboxOf(ann);
    assert.equal((await add(bob, ann)).mutual, true);
    const [became] = await take(inbox, 1);
    assert.deepEqual(became?.__typename === 'ContactChanged' && [became.userId, became.contact?.mutual], [bob.id, true]);
    assert.equal((await ann.api.user({ id: bob.id })).user!.viewerState!.isMutualContact, true);
    await bob.api.removeContact({ input: { userId: ann.id } });
    const [ended] = await take(inbox, 1);
    assert.deepEqual(ended?.__typename === 'ContactChanged' && [ended.userId, ended.contact?.mutual], [bob.id, false]);
    await ann.api.removeContact({ input: { userId: bob.id } });
    inbox.close();
  });

  it('two who add each other at once both end mutual, and are both told', async () => {
    const [dan, eve] = await world.people('Dan', 'Eve');
    const inboxes = await Promise.all([dan, eve].map(inboxOf));
    await Promise.all([add(dan, eve), add(eve, dan)]);
    const heard = await Promise.all(inboxes.map(async (inbox) => {
      for (let told = 1; ; told++) {
        const [event] = await take(inbox, 1);
        if (event?.__typename === 'ContactChanged' && event.contact?.mutual) return 'mutual';
        assert.ok(told < 3);
      }
    }));
    assert.deepEqual(heard, ['mutual', 'mutual']);
    for (const inbox of inboxes) inbox.close();
  });

  it('the list goes by the names that the owner knows, page by page', async () => {
    const owner = await world.person('Owner');
    const [mia, noa, ola] = await world.people('Mia', 'Noa', 'Ola');
    await add(owner, mia, 'Zebra');
    await add(owner, noa);
    await add(owner, ola, 'apple');
    assert.deepEqual((await listed(owner)).map(([handle]) => handle), ['ola', 'noa', 'mia']);
    const pages: string[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const { contacts }: { contacts: ContactPage } = (await owner.api.contacts({ first: 2, after })).viewer!;
      pages.push(contacts.edges.map((edge) => edge.node.user.handle).join(' '));
      more = contacts.pageInfo.hasNextPage;
      after = contacts.pageInfo.endCursor;
    }
    assert.deepEqual(pages, ['ola noa', 'mia']);
  });

  it('who is not there can’t be added, nor oneself', async () => {
    const before = await digest(world);
    await fails(ann.api.addContact({ input: { userId: ann.id } }), 'INVALID_INPUT', 'userId');
    await fails(ann.api.addContact({ input: { userId: `usr_${'0'.repeat(32)}` } }), 'NOT_FOUND', 'userId');
    await fails(ann.api.removeContact({ input: { userId: `usr_${'0'.repeat(32)}` } }), 'NOT_FOUND', 'userId');
    await fails(ann.api.addContact({ input: { userId: bob.id, name: 'x'.repeat(129) } }), 'INVALID_INPUT', 'name');
    assert.deepEqual(await digest(world), before);
  });

  describe('from a phone book', () => {
    let owner: Person;
    let found: Person;
    let hidden: Person;
    let blocker: Person;
    let unverified: Person;
    const verified = async (person: Person, phone: string) => {
      await person.api.requestPhoneCode({ input: { phone } });
      await world.sent();
      await person.api.verifyPhoneCode({ input: { phone, code: digitsIn(world.outbox.textsTo(phone).at(-1)!) } });
    };
    const sync = async (person: Person, phones: string[], defaultRegion?: string) =>
      (await person.api.syncContacts({ input: { entries: phones.map((phone) => ({ phone, name: `Name of ${phone}` })), defaultRegion: defaultRegion ?? null } })).syncContacts;

    before(async () => {
      [owner, found, hidden, blocker, unverified] = await world.people('Phil', 'Found', 'Hidden', 'Blocker', 'Unverified');
      await verified(owner, '+41791000000');
      await verified(found, '+41791234567');
      await verified(hidden, '+41791234568');
      await verified(blocker, '+41791234569');
      await hidden.api.updateProfile({ input: { findByPhone: false } });
      await blocker.api.blockUser({ input: { userId: owner.id } });
    });

    it('finds by number, in any spelling, only those who are to be found', async () => {
      const { matches, unrecognized } = await sync(owner, ['079 123 45 67', '+41 79 123 45 68', '+41791234569', '+41791000000', '+14155550100', 'not a number', ''], 'ch');
      assert.deepEqual(matches.map(({ phone, contact }) => [phone, contact.user.id, contact.name, contact.mutual]), [['079 123 45 67', found.id, 'Name of 079 123 45 67', false]]);
      assert.deepEqual(unrecognized, ['not a number', '']);
      assert.deepEqual(await listed(owner), [['found', 'Name of 079 123 45 67', false]]);
      const again = await sync(owner, ['+41791234567', '0041 79 123 45 67'], 'CH');
      assert.deepEqual(again.matches.map(({ contact }) => contact.user.id), [found.id, found.id]);
      assert.deepEqual(await listed(owner), [['found', 'Name of 0041 79 123 45 67', false]], 'two spellings are one contact');
      assert.deepEqual(await listed(unverified), []);
    });

    it('refuses what is too much or malformed, and changes nothing', async () => {
      const before = await digest(world);
      await fails(sync(owner, Array<string>(501).fill('+41791234567')), 'INVALID_INPUT', 'entries');
      await fails(sync(owner, ['079 123 45 67'], 'XX'), 'INVALID_INPUT', 'defaultRegion');
      await fails(owner.api.syncContacts({ input: { entries: [{ phone: '+41791234567', name: 'nul\u0000' }] } }), 'INVALID_INPUT', 'entries.name');
      const { matches, unrecognized } = await sync(owner, ['079 123 45 67']);
      assert.deepEqual([matches.length, unrecognized], [0, ['079 123 45 67']], 'a national number needs a region');
      assert.deepEqual(await digest(world), before);
    });

    it('numbers can’t be enumerated: 2,000 a day, over all calls', async () => {
      const walker = await world.person('Walker');
      const numbers = (from: number) => [...Array(500)].map((_, index) => `+4179${2_000_000 + from + index}`);
      for (const batch of [0, 500, 1000, 1500]) await sync(walker, numbers(batch));
      const refused = await fails(sync(walker, ['+41791234567']), 'RATE_LIMITED');
      const wait = refused.errors[0]!.extensions!.retryAfter!;
      assert.ok(wait > 86_000 && wait <= 86_400, String(wait));
      assert.deepEqual(await listed(walker), []);
      world.clock.advance(86_400_000);
      const later = world.client((await world.client().api.signUp({ input: { email: 'w2@example.com', password: 'password of w2', handle: 'w_2', displayName: 'W2' } })).signUp.accessToken);
      assert.equal((await later.api.syncContacts({ input: { entries: [{ phone: '+41791234567' }] } })).syncContacts.matches.length, 1);
    });
  });
});
