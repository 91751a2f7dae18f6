import type { Sql } from '../../db/database.js';
import type { PaymentOutcome, RefundOutcome } from '../../payments/contract.js';
import type { SandboxPayment, SandboxStore } from '../../payments/sandbox.js';

const COLUMNS = 'key, amount::float8 as amount, currency, method, hold, state, captured::float8 as captured, refunded::float8 as refunded';

/** The memory of the sandbox, in the database: each verb is a statement of its own, as if it were elsewhere. */
export class SandboxTable implements SandboxStore {
  constructor(private readonly sql: Sql) {}

  async add({ key, amount, currency, method, hold, state, captured }: SandboxPayment): Promise<{ payment: SandboxPayment; fresh: boolean }> {
    const [made] = await this.sql<SandboxPayment>(
      `insert into sandbox_payments (key, amount, currency, method, hold, state, captured) values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning ${COLUMNS}`,
      [key, amount, currency, method, hold, state, captured],
    );
    return made ? { payment: made, fresh: true } : { payment: (await this.read(key))!, fresh: false };
  }

  async read(key: string): Promise<SandboxPayment | null> {
    const [row] = await this.sql<SandboxPayment>(`select ${COLUMNS} from sandbox_payments where key = $1`, [key]);
    return row ?? null;
  }

  async setState(key: string, from: PaymentOutcome['state'][], to: PaymentOutcome['state'], captured = 0): Promise<SandboxPayment | null> {
    const [row] = await this.sql<SandboxPayment>(`update sandbox_payments set state = $3, captured = $4 where key = $1 and state = any($2) and amount >= $4 returning ${COLUMNS}`, [key, from, to, captured]);
    return row ?? null;
  }

  list(since: Date, until: Date, after: string): Promise<SandboxPayment[]> {
    return this.sql<SandboxPayment>(`select ${COLUMNS} from sandbox_payments where created_at >= $1 and created_at < $2 and key > $3 order by key limit 100`, [since, until, after]);
  }

  async refund(key: string, paymentKey: string, amount: number): Promise<RefundOutcome> {
    const [row] = await this.sql<{ state: 'DONE' | 'REFUSED' }>(
      `with known as (select state from sandbox_refunds where key = $1),
       paid as (update sandbox_payments set refunded = refunded + $3 where key = $2 and state = 'CAPTURED' and refunded + $3 <= captured and not exists (select from known) returning key),
       made as (insert into sandbox_refunds (key, payment_key, amount, state) select $1, key, $3, case when exists (select from paid) then 'DONE' else 'REFUSED' end
                from sandbox_payments where key = $2 and not exists (select from known) returning state)
       select state from known union all select state from made`,
      [key, paymentKey, amount],
    );
    return row?.state ?? 'REFUSED';
  }
}
