import type { Sql } from '../../db/database.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import { callStream } from '../../events/catalogue.js';
import { DomainError } from '../../lib/errors.js';
import { assertRunsCall } from '../../policies/call-policy.js';
import { CALL_COLUMNS, type CallRow } from '../loaders/calls.js';
import { lockCall } from './call-access.js';
import { actorIdOf, type CallCaller } from './caller.js';

const MAX_SHOWN = 20;

/** What is for sale in a call: its host shows it, and everybody in it sees and may buy it. */
export class CallShowcase {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * Shows a product, in front of those that are shown, or takes it away. It is so already: changes nothing.
   * Errors: NOT_FOUND (call, a product that is not published), FORBIDDEN (not the host), STATE_CONFLICT (over), LIMIT_REACHED (20).
   */
  async set(caller: CallCaller, callId: string, productId: string, shown: boolean): Promise<CallRow> {
    await this.unitOfWork.run({ actorId: actorIdOf(caller), operation: 'showcaseProduct' }, async (tx) => {
      assertRunsCall(await lockCall(tx.sql, callId, caller));
      const now = await tx.sql<{ id: string }>('select product_id as id from call_showcase where call_id = $1 order by place desc', [callId]);
      const there = now.findIndex(({ id }) => id === productId);
      if (shown ? there === 0 : there === -1) return;
      if (shown) {
        const [product] = await tx.sql(`select from products where id = $1 and status = 'PUBLISHED'`, [productId]);
        if (!product) throw new DomainError('NOT_FOUND', 'There is no such product to show.', { field: 'productId' });
        if (there === -1 && now.length >= MAX_SHOWN) throw new DomainError('LIMIT_REACHED', `At most ${MAX_SHOWN} products are shown in a call.`);
      }
      await tx.sql('delete from call_showcase where call_id = $1 and product_id = $2', [callId, productId]);
      if (shown) await tx.sql('insert into call_showcase (call_id, product_id, shown_at) values ($1, $2, $3)', [callId, productId, tx.now]);
      tx.append(callStream(callId), { kind: 'showcase.changed' });
    });
    const [call] = await this.sql<CallRow>(`select ${CALL_COLUMNS} from calls c where c.id = $1`, [callId]);
    return call!;
  }
}
