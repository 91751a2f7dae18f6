const SLUG = '([a-z0-9]+(?:-[a-z0-9]+)*)';
/** What stands for the slugs while the pattern is read as an address: no character of them is changed there. */
const MARKS = { shop: 'omnitalk.shop.here', product: 'omnitalk.product.here' };

/** Addresses of products in the app that shows them, by a pattern as https://app.example/shops/{shop}/products/{product}: made, and known again in a text. */
export class ProductLinks {
  readonly #host: string;
  readonly #path: RegExp;
  readonly #shopFirst: boolean;

  constructor(private readonly pattern: string) {
    const { host, pathname } = new URL(pattern.replace('{shop}', MARKS.shop).replace('{product}', MARKS.product));
    this.#host = host;
    this.#shopFirst = pathname.indexOf(MARKS.shop) < pathname.indexOf(MARKS.product);
    const parts = pathname.replace(/\/$/, '').split(/omnitalk\.(?:shop|product)\.here/);
    this.#path = new RegExp(`^${parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join(SLUG)}/?$`);
  }

  of(shop: string, product: string): string {
    return this.pattern.replace('{shop}', shop).replace('{product}', product);
  }

  /** The slugs in an address; null when it is none of a product. What follows its `?` (where the reader came from) says nothing. */
  read(address: string): { shop: string; product: string } | null {
    const { protocol, host, pathname } = new URL(address);
    if (host !== this.#host || !/^https?:$/.test(protocol)) return null;
    const match = this.#path.exec(pathname);
    return match && (this.#shopFirst ? { shop: match[1]!, product: match[2]! } : { shop: match[2]!, product: match[1]! });
  }
}
