import assert from 'node:assert/strict';
import fc from 'fast-check';
import { networkOf } from './auth-limits.js';

describe('the network of an address', () => {
  it('is the address itself in IPv4, also when it comes mapped into IPv6', () => {
    assert.equal(networkOf('192.0.2.7'), '192.0.2.7');
    assert.equal(networkOf('::ffff:192.0.2.7'), '192.0.2.7');
  });

  it('is the /64 in IPv6, however the address is written', () => {
    for (const address of ['2001:db8:0:1::5', '2001:0db8:0000:0001:0000:0000:0000:0005', '2001:DB8:0:1:ffff::', '2001:db8:0:1:1:2:3:4']) assert.equal(networkOf(address), '2001:db8:0:1::/64');
    assert.equal(networkOf('::1'), '0:0:0:0::/64');
    assert.equal(networkOf('fe80::1%eth0'), 'fe80:0:0:0::/64');
  });

  it('depends on the first four groups alone', () => {
    const group = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16));
    const four = fc.tuple(group, group, group, group);
    fc.assert(fc.property(four, four, four, (network, one, other) => networkOf([...network, ...one].join(':')) === networkOf([...network, ...other].join(':'))));
  });
});
