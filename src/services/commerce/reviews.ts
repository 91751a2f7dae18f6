import { pageRequest, type Page, type PageArgs } from '../../db/pages.js';
import type { Tx, UnitOfWork } from '../../db/unit-of-work.js';
import { forbidden, notFound } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { boundedInt, cleanText } from '../../lib/validate.js';
import type { Actor, Reading } from '../actor.js';
import { REVIEW_COLUMNS, reviewsOfProduct, type ReviewRow } from '../loaders/products.js';

export interface GivenReview {
  rating: number;
  title: string | null;
  text: string | null;
}

/** What people say of products: one review a person and product. */
export class ReviewService {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** Writes the actor's review, or writes it anew. Errors: NOT_FOUND, FORBIDDEN (one's own product), INVALID_INPUT. */
  async write(actor: Actor, productId: string, given: GivenReview): Promise<ReviewRow> {
    const rating = boundedInt(given.rating, 'rating', 1, 5);
    const title = given.title === null ? null : cleanText(given.title, { field: 'title', maxBytes: 256 });
    const text = given.text === null ? null : cleanText(given.text, { field: 'text', maxBytes: 8_192, multiline: true });
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'reviewProduct' }, async (tx) => {
      const [product] = await tx.sql<{ ownerId: string }>(
        `select s.owner_id as "ownerId" from products p join shops s on s.id = p.shop_id where p.id = $1 and p.status = 'PUBLISHED' for no key update of p`,
        [productId],
      );
      if (!product) throw notFound('product');
      if (product.ownerId === actor.userId) throw forbidden('Nobody reviews what they sell.');
      const before = await ownReview(tx, productId, actor.userId);
      if (before && before.rating === rating && before.title === title && before.text === text) return before;
      const [row] = await tx.sql<ReviewRow>(
        `insert into product_reviews as r (id, product_id, user_id, rating, title, text, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $7)
         on conflict (product_id, user_id) do update set rating = excluded.rating, title = excluded.title, text = excluded.text, updated_at = excluded.updated_at returning ${REVIEW_COLUMNS}`,
        [newId(), productId, actor.userId, rating, title, text, tx.now],
      );
      await rate(tx, productId, rating - (before?.rating ?? 0), before ? 0 : 1);
      return row!;
    });
  }

  /** Takes the actor's review back; without one, changes nothing. Errors: NOT_FOUND (product). */
  async remove(actor: Actor, productId: string): Promise<void> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'deleteReview' }, async (tx) => {
      const [product] = await tx.sql('select from products where id = $1 and status = $2 for no key update', [productId, 'PUBLISHED']);
      if (!product) throw notFound('product');
      const [gone] = await tx.sql<{ rating: number }>('delete from product_reviews where product_id = $1 and user_id = $2 returning rating', [productId, actor.userId]);
      if (gone) await rate(tx, productId, -gone.rating, -1);
    });
  }

  async list(reading: Reading, productId: string, args: PageArgs): Promise<Page<ReviewRow>> {
    return (await reading.load(reviewsOfProduct, { parent: productId, request: pageRequest(args, ['uuid']) }))!;
  }
}

async function ownReview(tx: Tx, productId: string, userId: string): Promise<ReviewRow | null> {
  const [row] = await tx.sql<ReviewRow>(`select ${REVIEW_COLUMNS} from product_reviews r where r.product_id = $1 and r.user_id = $2`, [productId, userId]);
  return row ?? null;
}

const rate = (tx: Tx, productId: string, sum: number, count: number) =>
  tx.sql('update products set rating_sum = rating_sum + $2, rating_count = rating_count + $3 where id = $1', [productId, sum, count]);
