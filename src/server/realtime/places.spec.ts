import assert from 'node:assert/strict';
import { Places } from './places.js';

describe('places of connections', () => {
  it('are of an address until it says who it is, then of that person, and given back at the end', () => {
    const places = new Places(1);
    const first = places.enter('192.0.2.1')!;
    assert.equal(places.enter('192.0.2.1'), null);
    assert.equal(first.belongsTo('ann'), true);
    const second = places.enter('192.0.2.1')!;
    assert.equal(second.belongsTo('ann'), false);
    second.leave();
    first.leave();
    first.leave();
    assert.equal(places.enter('192.0.2.1')!.belongsTo('ann'), true);
  });

  it('are not taken by who has gone before it was known who they are', () => {
    const places = new Places(1);
    const gone = places.enter('192.0.2.1')!;
    gone.leave();
    assert.equal(gone.belongsTo('ann'), false);
    assert.equal(places.enter('192.0.2.1')!.belongsTo('ann'), true);
  });
});
