import assert from 'node:assert/strict';
import { digest } from '../testkit/digest.js';
import { RawSocket } from '../testkit/raw-socket.js';
import { eventually, fails, take, World, type Person } from '../testkit/world.js';

const INBOX = 'subscription { inboxEvents { __typename } }';

describe('sessions: refreshing', () => {
  let world: World;
  let ann: Person;
  before(async () => {
    world = await World.start({ settings: { REFRESH_TOKEN_TTL: '3600' } });
  });
  after(() => world.stop());
  beforeEach(async () => {
    ann = await world.person(`ann${world.key().replace('-', '')}`);
  });

  const refresh = async (refreshToken: string) => (await world.client().api.refreshSession({ input: { refreshToken } })).refreshSession;
  const families = () => world.sql<{ good: number; spent: number }>(
    `select count(*) filter (where rotated_at is null)::int as good, count(*) filter (where rotated_at is not null)::int as spent
     from refresh_tokens t join sessions s on s.id = t.session_id join users u on u.id = s.user_id where u.handle = $1`,
    [ann.handle],
  );

  it('answers new tokens of the same session', async () => {
    world.clock.advance(60_000);
    const first = await refresh(ann.refreshToken);
    assert.equal(first.session.id, ann.sessionId);
    assert.equal(first.user.id, ann.id);
    assert.notEqual(first.refreshToken, ann.refreshToken);
    assert.ok(first.session.lastActiveAt > first.session.createdAt);
    const { viewer } = await world.client(first.accessToken).api.viewer();
    assert.equal(viewer!.user.id, ann.id);
    const second = await refresh(first.refreshToken);
    assert.notEqual(second.refreshToken, first.refreshToken);
    assert.deepEqual(await families(), [{ good: 1, spent: 2 }]);
  });

  it('twenty who refresh one token at once get the same successor, and one family', async () => {
    const answers = await Promise.all([...Array(20)].map(() => refresh(ann.refreshToken)));
    assert.equal(new Set(answers.map((answer) => answer.refreshToken)).size, 1);
    assert.equal(new Set(answers.map((answer) => answer.session.id)).size, 1);
    assert.deepEqual(await families(), [{ good: 1, spent: 1 }]);
    await refresh(answers[0]!.refreshToken);
  });

  it('a lost answer may be asked again for 30 s', async () => {
    const first = await refresh(ann.refreshToken);
    world.clock.advance(29_000);
    assert.equal((await refresh(ann.refreshToken)).refreshToken, first.refreshToken);
    assert.deepEqual(await families(), [{ good: 1, spent: 1 }]);
  });

  it('after 30 s a second use ends the session, for both who hold its tokens', async () => {
    const first = await refresh(ann.refreshToken);
    const socket = await RawSocket.open(world, first.accessToken);
    world.clock.advance(31_000);
    await fails(refresh(ann.refreshToken), 'SESSION_ENDED');
    assert.deepEqual(await socket.closed(), { code: 4401, reason: 'SESSION_ENDED' });
    await fails(refresh(first.refreshToken), 'SESSION_ENDED');
    await fails(world.client(first.accessToken).api.viewer(), 'SESSION_ENDED');
    assert.deepEqual(await world.sql('select end_reason from sessions s join users u on u.id = s.user_id where u.handle = $1', [ann.handle]), [{ end_reason: 'TOKEN_REUSED' }]);
  });

  it('a spent token whose successor is in use was not lost: it ends the session at once', async () => {
    const first = await refresh(ann.refreshToken);
    const second = await refresh(first.refreshToken);
    await fails(refresh(ann.refreshToken), 'SESSION_ENDED');
    await fails(refresh(second.refreshToken), 'SESSION_ENDED');
  });

  it('ends that session alone', async () => {
    const { signIn } = await world.client().api.signIn({ input: { email: `${ann.handle}@example.com`, password: `password of ${ann.handle}` } });
    await refresh(ann.refreshToken);
    world.clock.advance(31_000);
    await fails(refresh(ann.refreshToken), 'SESSION_ENDED');
    await refresh(signIn.refreshToken);
  });

  it('a token that was not used for as long as it lives is over, and its session is shown no more', async () => {
    const other = (await world.client().api.signIn({ input: { email: `${ann.handle}@example.com`, password: `password of ${ann.handle}` } })).signIn;
    world.clock.advance(3_000_000);
    const kept = await refresh(other.refreshToken);
    world.clock.advance(601_000);
    await fails(refresh(ann.refreshToken), 'SESSION_ENDED');
    const { viewer } = await world.client((await refresh(kept.refreshToken)).accessToken).api.sessions();
    assert.deepEqual(viewer!.sessions.edges.map(({ node }) => node.id), [other.session.id]);
  });

  it('what is no refresh token of ours is UNAUTHENTICATED, and changes nothing', async () => {
    const before = await digest(world);
    for (const token of ['', 'x', 'x'.repeat(43), 'x'.repeat(5000), `${ann.refreshToken}x`, ann.accessToken, '\u0000', '\ud800']) await fails(refresh(token), 'UNAUTHENTICATED');
    assert.deepEqual(await digest(world), before);
  });

  it('keeps no refresh token, only its hash', async () => {
    const rows = await world.sql<{ row: string }>(`select t::text as row from refresh_tokens t`);
    assert.ok(rows.every(({ row }) => !row.includes(ann.refreshToken) && !row.includes(Buffer.from(ann.refreshToken).toString('hex'))));
  });
});

describe('sessions: signing out', () => {
  let world: World;
  let ann: Person;
  let phone: Person;
  let tablet: Person;
  before(async () => {
    world = await World.start();
  });
  after(() => world.stop());
  beforeEach(async () => {
    ann = await world.person(`ann${world.key().replace('-', '')}`);
    [phone, tablet] = [await device('phone'), await device('tablet')];
  });

  const device = async (name: string): Promise<Person> => {
    const { signIn } = await world.client().api.signIn({ input: { email: `${ann.handle}@example.com`, password: `password of ${ann.handle}`, device: name } });
    const client = world.client(signIn.accessToken);
    return { ...ann, client, api: client.api, accessToken: signIn.accessToken, refreshToken: signIn.refreshToken, sessionId: signIn.session.id };
  };
  const standing = async (person: Person) => (await person.api.sessions()).viewer!.sessions.edges.map(({ node }) => node);

  it('shows the devices, the newest first, and which of them asks; page by page', async () => {
    assert.deepEqual((await standing(phone)).map(({ device, viewerState }) => [device, viewerState.current]), [['tablet', false], ['phone', true], ['test', false]]);
    const first = (await phone.api.sessions({ first: 2 })).viewer!.sessions;
    assert.equal(first.pageInfo.hasNextPage, true);
    const rest = (await phone.api.sessions({ first: 2, after: first.pageInfo.endCursor })).viewer!.sessions;
    assert.deepEqual(rest.edges.map(({ node }) => node.id), [ann.sessionId]);
    assert.equal(rest.pageInfo.hasNextPage, false);
    await fails(phone.api.sessions({ after: Buffer.from('["x"]').toString('base64url') }), 'INVALID_CURSOR', 'after');
  });

  it('ends this session: its requests, its refresh token and its open subscription, by 4401', async () => {
    const socket = await RawSocket.open(world, phone.accessToken);
    socket.subscribe('1', INBOX);
    await socket.receive('next');
    const { signOut } = await phone.api.signOut({ input: {} });
    assert.deepEqual(signOut.endedSessionIds, [phone.sessionId]);
    assert.deepEqual(await socket.closed(), { code: 4401, reason: 'SESSION_ENDED' });
    await fails(phone.api.viewer(), 'SESSION_ENDED');
    await fails(world.client().api.refreshSession({ input: { refreshToken: phone.refreshToken } }), 'SESSION_ENDED');
    const again = RawSocket.connect(world, phone.accessToken);
    assert.equal((await again.closed()).code, 4401);
    assert.deepEqual((await standing(tablet)).map(({ id }) => id), [tablet.sessionId, ann.sessionId]);
  });

  it('ends another session of one’s own, and leaves this one alone; twice is once', async () => {
    const mine = await RawSocket.open(world, phone.accessToken);
    const other = await RawSocket.open(world, tablet.accessToken);
    const { signOut } = await phone.api.signOut({ input: { sessionId: tablet.sessionId } });
    assert.deepEqual(signOut.endedSessionIds, [tablet.sessionId]);
    assert.equal((await other.closed()).code, 4401);
    mine.subscribe('1', INBOX);
    await mine.receive('next');
    mine.close();
    assert.deepEqual((await phone.api.signOut({ input: { sessionId: tablet.sessionId } })).signOut.endedSessionIds, []);
  });

  it('ends all others at once', async () => {
    const { signOut } = await phone.api.signOut({ input: { allOthers: true } });
    assert.deepEqual([...signOut.endedSessionIds].sort(), [ann.sessionId, tablet.sessionId].sort());
    await fails(tablet.api.viewer(), 'SESSION_ENDED');
    assert.deepEqual((await standing(phone)).map(({ id }) => id), [phone.sessionId]);
  });

  it('never ends a session of somebody else, nor both ways at once', async () => {
    const bob = await world.person('Bob');
    const before = await digest(world);
    await fails(ann.api.signOut({ input: { sessionId: bob.sessionId } }), 'NOT_FOUND');
    await fails(ann.api.signOut({ input: { sessionId: phone.sessionId, allOthers: true } }), 'INVALID_INPUT', 'allOthers');
    await fails(ann.api.signOut({ input: { sessionId: ann.id } }), 'INVALID_ID', 'sessionId');
    await fails(world.client().api.signOut({ input: {} }), 'UNAUTHENTICATED');
    assert.deepEqual(await digest(world), before);
  });

  it('the person’s other devices hear of each sign-in and each end, live and after a resume', async () => {
    const { viewer } = await ann.api.viewer();
    const live = ann.client.inboxEvents([viewer!.eventCursor]);
    const watch = await device('watch');
    await phone.api.signOut({ input: { sessionId: watch.sessionId } });
    const told = [['SessionsChanged', watch.sessionId], ['SessionsChanged', watch.sessionId]];
    const seen = (events: { __typename: string }[]) => events.map((event) => [event.__typename, (event as { sessionId?: string }).sessionId]);
    assert.deepEqual(seen(await take(live, 2)), told);
    live.close();
    const resumed = ann.client.inboxEvents([viewer!.eventCursor]);
    assert.deepEqual(seen(await take(resumed, 2)), told);
    resumed.close();
  });

  it('keeps at most 50 sessions: the one that was not used for the longest gives way', async () => {
    await world.sql(
      `insert into sessions (id, user_id, created_at, last_active_at) select gen_random_uuid(), id, now(), now() + interval '1 hour' from users, generate_series(1, 47) where handle = $1`,
      [ann.handle],
    );
    await device('one too many');
    await fails(ann.api.viewer(), 'SESSION_ENDED');
    await phone.api.viewer();
    assert.deepEqual(await world.sql('select count(*)::int as n from sessions s join users u on u.id = s.user_id where u.handle = $1 and s.ended_at is null', [ann.handle]), [{ n: 50 }]);
  });
});

describe('sessions: across processes', () => {
  it('a sign-out at one process ends what is open at another', async () => {
    const world = await World.start({ nodes: 2 });
    try {
      const ann = await world.person('Ann');
      const elsewhere = world.client(ann.accessToken, 1);
      await elsewhere.api.viewer();
      const socket = await RawSocket.open(world, ann.accessToken, 1);
      socket.subscribe('1', INBOX);
      await socket.receive('next');
      await ann.api.signOut({ input: {} });
      assert.equal((await socket.closed()).code, 4401);
      await eventually(() => elsewhere.api.viewer().then(() => false, () => true), 'the other process refuses the session');
      await fails(elsewhere.api.viewer(), 'SESSION_ENDED');
    } finally {
      await world.stop();
    }
  });
});
