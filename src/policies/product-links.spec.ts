import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ProductLinks } from './product-links.js';

describe('addresses of products', () => {
  const links = new ProductLinks('https://app.example/go/shops/{shop}/products/{product}');
  const cases: [string, object | null][] = [
    ['https://app.example/go/shops/teas/products/sencha-2', { shop: 'teas', product: 'sencha-2' }],
    ['https://app.example/go/shops/teas/products/sencha-2/?utm_source=chat', { shop: 'teas', product: 'sencha-2' }],
    ['http://app.example/go/shops/teas/products/sencha', { shop: 'teas', product: 'sencha' }],
    ['https://app.example:8443/go/shops/teas/products/sencha', null],
    ['https://evil.example/go/shops/teas/products/sencha', null],
    ['https://app.example/go/shops/teas/products/sencha/reviews', null],
    ['https://app.example/shops/teas/products/sencha', null],
    ['https://app.example/go/shops/Teas/products/sencha', null],
    ['https://app.example/go/shops//products/', null],
  ];
  for (const [address, found] of cases) it(`${address} → ${JSON.stringify(found)}`, () => assert.deepEqual(links.read(address), found));

  it('is read back as it was made, whichever comes first', () => {
    const slug = fc.stringMatching(/^[a-z0-9]+(-[a-z0-9]+){0,3}$/);
    fc.assert(
      fc.property(slug, slug, fc.constantFrom('https://a.example/{shop}/{product}', 'http://a.example:81/p/{product}/of/{shop}', 'https://a.example/{product}.{shop}/'), (shop, product, pattern) => {
        const made = new ProductLinks(pattern);
        assert.deepEqual(made.read(made.of(shop, product)), { shop, product });
      }),
    );
  });
});
