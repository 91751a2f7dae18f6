import assert from 'node:assert/strict';
import { at, blocks, printed } from '../testkit/snippets.js';
import { World } from '../testkit/world.js';

describe('docs/PARTNERS.md does what it says', function () {
  this.timeout(60_000);
  let world: World;
  before(async () => {
    world = await World.start({ settings: { WEBHOOKS: 'true', OUTBOUND_PRIVATE_HOSTS: '127.0.0.1' } });
  });
  after(() => world.stop());

  it('the walk goes from nothing to a webhook that was verified and replayed', async () => {
    const [walk, ...others] = blocks('docs/PARTNERS.md', '## The walk', 'ts');
    assert.equal(others.length, 0);
    assert.deepEqual((await printed(at(world.app.url, walk!))).split('\n'), ['a token, to be sent as Bearer', 'subscribed: Have you tea?', 'told, and verified: Have you tea?', 'replayed under the same id: true', '']);
  });
});
