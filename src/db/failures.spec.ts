import assert from 'node:assert/strict';
import pg from 'pg';
import { serverUrl } from '../../test/testkit/database.js';
import { isUnavailable } from './failures.js';

describe('failures of PostgreSQL', () => {
  it('a transaction that it undid because nothing was heard may be tried again', async () => {
    const client = new pg.Client({ connectionString: serverUrl('postgres'), idle_in_transaction_session_timeout: 20 });
    const lost = new Promise<Error>((resolve) => client.once('error', resolve));
    await client.connect();
    await client.query('begin');
    const error = await lost;
    assert.equal((error as { code?: string }).code, '25P03');
    assert.equal(isUnavailable(error), true);
    await client.end().catch(() => undefined);
  });
});
