import assert from 'node:assert/strict';
import type { MediaServer } from '../../src/media/media-server.js';
import { Browsers, bundle } from '../testkit/browser.js';
import { CALL_PAGE, hears, joinIn, openPage, pathsOf, seesMore } from '../testkit/call-page.js';
import { startCall } from '../testkit/calls.js';
import { mediaServer } from '../testkit/media.js';
import { Coturn } from '../testkit/turn.js';
import { eventually, fails, World, type Person } from '../testkit/world.js';

const SECRET = 'a secret that coturn shares';

describe('a real coturn', function () {
  this.timeout(90_000);
  let coturn: Coturn;
  let browsers: Browsers;
  let media: MediaServer;
  let world: World;
  let ann: Person;
  let bob: Person;
  before(async () => {
    coturn = await Coturn.start(SECRET);
    browsers = await Browsers.start(await bundle(CALL_PAGE));
    media = mediaServer();
    await media.start();
    world = await World.start({ settings: { CORS_ORIGINS: browsers.origin, TURN_URLS: coturn.url, TURN_SECRET: SECRET }, media: () => media });
    [ann, bob] = await world.people('Ann', 'Bob');
  });
  after(async () => {
    await browsers?.stop();
    await world?.stop();
    await media?.close();
    await coturn?.stop();
  });

  const credentialsOf = async (person: Person) => (await person.api.createTurnCredentials({ input: {} })).createTurnCredentials;

  it('takes the credentials that the server makes, without asking it', async () => {
    const mine = await credentialsOf(ann);
    assert.deepEqual(mine.urls, [coturn.url]);
    const given = await coturn.allocate(mine);
    assert.ok('relayedPort' in given && given.relayedPort > 1_024, JSON.stringify(given));
    // Each allocation is one of its own, also by the same credentials.
    assert.notDeepEqual(await coturn.allocate(mine), given);
  });

  it('refuses who has none, and those that were forged', async () => {
    const { username, credential } = await credentialsOf(ann);
    const { credential: his } = await credentialsOf(bob);
    const [expires, who] = username.split(':');
    assert.deepEqual(await coturn.allocate(null), { refused: 401 });
    for (const forged of [
      { username, credential: 'a guess' },
      { username, credential: his },
      { username: `${Number(expires) + 3_600}:${who}`, credential },
      { username: `${expires}:somebody`, credential },
      { username: who!, credential },
    ]) assert.deepEqual(await coturn.allocate(forged), { refused: 401 }, JSON.stringify(forged));
  });

  it('refuses those that have expired', async () => {
    // Made two hours ago, good for one.
    world.clock.advance(-2 * 3_600_000);
    const old = await credentialsOf(await world.person('Carol')).finally(() => world.clock.advance(2 * 3_600_000));
    assert.ok(Date.parse(old.expiresAt) < Date.now());
    assert.deepEqual(await coturn.allocate(old), { refused: 401 });
  });

  it('carries a call both ways for a browser that goes no other way', async () => {
    const callId = await startCall(world, ann, await world.directChat(ann, bob));
    const [hers, his] = [await openPage(browsers, world, ann), await openPage(browsers, world, bob)];
    await joinIn(hers, callId, { iceTransportPolicy: 'relay' });
    await joinIn(his, callId);
    await Promise.all([hers, his].map((page) => page.evaluate('send()')));
    await Promise.all([seesMore(hers, 'CAMERA', 'she sees him'), seesMore(his, 'CAMERA', 'he sees her'), hears(hers, 'she hears him'), hears(his, 'he hears her')]);
    assert.deepEqual(await pathsOf(hers), ['relay', 'relay']);
    assert.ok((await pathsOf(his)).every((path) => path !== 'relay'));
    await ann.api.endCall({ input: { callId } });
    await eventually(() => media.rooms().rooms === 0, 'nothing is left');
    assert.deepEqual(browsers.complaints, []);
  });

  it('where there is none, whoever goes no other way is told so', async () => {
    const plain = await World.start({ settings: { CORS_ORIGINS: browsers.origin } });
    try {
      const [dora, emil] = await plain.people('Dora', 'Emil');
      await fails(dora.api.createTurnCredentials({ input: {} }), 'CALLS_UNAVAILABLE');
      const page = await openPage(browsers, plain, dora);
      await joinIn(page, await startCall(plain, dora, await plain.directChat(dora, emil)), { iceTransportPolicy: 'relay' });
      await assert.rejects(page.evaluate('send()'), /There is no TURN server/);
    } finally {
      await browsers.closePages();
      await plain.stop();
    }
  });
});
