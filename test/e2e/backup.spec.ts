import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DebianPostgres } from '../testkit/debian-postgres.js';
import { PIXEL } from '../testkit/pictures.js';
import { take, World } from '../testkit/world.js';

/** The statements that docs/OPERATIONS.md has an operator run before the restored server starts. */
const AFTER = async (): Promise<string> => {
  const text = await readFile(new URL('../../docs/OPERATIONS.md', import.meta.url), 'utf8');
  const [, statements] = /before the server starts[^\n]*\n\n((?: {4}.*\n)+)/.exec(text)!;
  return statements!;
};

describe('a backup', function () {
  this.timeout(120_000);
  let postgres: DebianPostgres;
  before(async () => {
    postgres = await DebianPostgres.start();
  });
  after(() => postgres.stop());

  const worldOn = (database: string, settings: Record<string, string> = {}) => World.start({ settings, database: { url: postgres.url(database), drop: () => Promise.resolve() } });

  it('that is made while the server runs, restored into another database, serves: the history, the files byte by byte, the accounts; and clients read their state anew', async () => {
    for (const name of ['original', 'restored']) await postgres.create(name);
    const folder = await mkdtemp(join(tmpdir(), 'omnitalk-backup-'));
    const original = await worldOn('original');
    const [ann, bob] = await original.people('Ann', 'Bob');
    const chatId = await original.directChat(ann, bob);
    const body = Buffer.from(PIXEL);
    const file = await original.upload(ann, body, { name: 'dot.png', contentType: 'image/png' });
    const sent = (await ann.api.sendMessage({ input: { chatId, text: 'kept', attachments: [{ fileId: file.id! }], idempotencyKey: original.key() } })).sendMessage.message;
    const served = Buffer.from(await (await fetch(file.url!)).arrayBuffer());

    await postgres.tool('pg_dump', ['--format=custom', `--file=${postgres.file('dump')}`, postgres.url('original')]);
    await cp(join(original.config.DATA_DIR, 'store'), join(folder, 'store'), { recursive: true });
    await original.say(bob, chatId, 'lost with what came after the backup');
    const { eventCursor } = (await bob.api.chat({ id: chatId })).chat!;
    await original.stop();

    await postgres.tool('pg_restore', ['--no-owner', '--exit-on-error', `--dbname=${postgres.url('restored')}`, postgres.file('dump')]);
    await postgres.sql('restored', await AFTER());
    const restored = await worldOn('restored', { DATA_DIR: folder, NOTIFICATIONS: 'true' });
    try {
      // The key of access tokens is in the database: who was signed in is.
      const again = restored.client(bob.accessToken);
      const { messages } = (await again.api.chatMessages({ id: chatId })).chat!;
      assert.deepEqual(messages.edges.map(({ node }) => [node.id, node.text]), [[sent.id, 'kept']]);
      const [attachment] = messages.edges[0]!.node.attachments;
      assert.deepEqual(Buffer.from(await (await fetch(attachment!.file.url!)).arrayBuffer()), served);
      const { signIn } = await restored.client().api.signIn({ input: { email: 'ann@example.com', password: 'password of ann' } });
      // A cursor that leads into what was lost is told so, instead of waiting for ever.
      const old = again.chatEvents(chatId, eventCursor);
      const [first] = await take(old, 1);
      old.close();
      assert.ok(first!.__typename === 'ResyncRequired' && first.reason === 'EPOCH_CHANGED');
      const live = again.chatEvents(chatId, (await again.api.chat({ id: chatId })).chat!.eventCursor);
      await restored.client(signIn.accessToken).api.sendMessage({ input: { chatId, text: 'after', idempotencyKey: restored.key() } });
      const [event] = await take(live, 1);
      live.close();
      assert.ok(event!.__typename === 'MessageSent' && event.message?.text === 'after' && event.message.seq === sent.seq + 1);
    } finally {
      await restored.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
