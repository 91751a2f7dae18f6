import type { Database } from '../db/database.js';
import type { Tx, UnitOfWork } from '../db/unit-of-work.js';
import { chatStream } from '../events/catalogue.js';
import type { PreviewRef } from '../entities/message.js';
import type { Clock } from '../lib/clock.js';
import type { Logger } from '../lib/logger.js';
import type { Reader } from '../news/reader.js';
import { OutboundError } from '../outbound/errors.js';
import type { Outbound } from '../outbound/outbound.js';
import { firstLink } from '../policies/links.js';
import type { ProductLinks } from '../policies/product-links.js';
import { assertCanEditPreview } from '../policies/message-policy.js';
import { NOBODY, type Actor } from './actor.js';
import { lockMessage, touchMessage } from './message-changes.js';
import type { MessageKey, MessageRow } from './loaders/messages.js';

const BATCH = 100;
const AT_ONCE = 8;
const LEASE_SECONDS = 60;
const MAX_ATTEMPTS = 3;
const FIRST_RETRY_SECONDS = 10;
/** A message that nobody could look at for so long after it was sent or edited is left without. */
const LOOKED_AT_MS = 3_600_000;
const KEPT_MS = 86_400_000;
const NONE_KEPT_MS = 3_600_000;
/** What tells of a page stands in its head. */
const HEAD_BYTES = 524_288;
const TIMEOUT_MS = 8_000;

const UNLOOKED = `preview is null and deleted_at is null and kind = 'TEXT' and text like '%://%'`;
const unlookedBy = (time: 'created_at' | 'edited_at', more = ''): string =>
  `select chat_id as "chatId", seq, text from messages where ${UNLOOKED} and ${time} > $1 ${more} order by ${time} limit $2 for update skip locked`;
/** Each by an index of its own. */
const [SENT, EDITED] = [unlookedBy('created_at'), unlookedBy('edited_at', 'and created_at <= $1')];

type Unlooked = MessageKey & { text: string };

interface Meta {
  title: string;
  description: string | null;
  imageUrl: string | null;
  siteName: string | null;
}

/**
 * Cards of what stands behind links in messages, made after the message was sent: a send does nothing for them. A text with a link is in an index of its own until it was looked at
 * (`messages_to_preview`, `messages_edits_to_preview`), so none is forgotten, whatever dies. Pages are fetched once for all messages that name them, one at a time from each host.
 */
export class LinkPreviews {
  static readonly DUE = `exists (select from messages where ${UNLOOKED} and created_at > $1::timestamptz - interval '1 hour')
    or exists (select from messages where ${UNLOOKED} and edited_at > $1::timestamptz - interval '1 hour')
    or exists (select from link_preview_waits w join link_previews p on p.url = w.url where p.state <> 'PENDING')`;
  static readonly PAGES_DUE = "exists (select from link_previews where state = 'PENDING' and try_at <= $1)";

  constructor(
    private readonly db: Pick<Database, 'background'>,
    private readonly unitOfWork: UnitOfWork,
    private readonly outbound: Pick<Outbound, 'fetch'>,
    private readonly reader: Pick<Reader, 'meta'>,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly options: { pages: boolean; products: ProductLinks | null },
  ) {}

  /** The sender takes the preview off a message. None there: changes nothing but that none will come. Errors: NOT_FOUND, FORBIDDEN, STATE_CONFLICT (deleted). */
  remove(actor: Actor, key: MessageKey): Promise<MessageRow> {
    return this.unitOfWork.run({ actorId: actor.userId, operation: 'removeLinkPreview' }, async (tx) => {
      const { message } = await lockMessage(tx, key, actor.userId);
      assertCanEditPreview(message, actor.userId);
      if (message.preview?.state === 'OFF') return message;
      await tx.sql(`update messages set preview = '{"state":"OFF"}' where chat_id = $1 and seq = $2`, [key.chatId, key.seq]);
      await tx.sql('delete from link_preview_waits where chat_id = $1 and seq = $2', [key.chatId, key.seq]);
      return message.preview?.state === 'READY' ? touchMessage(tx, key) : { ...message, preview: { state: 'OFF' } };
    });
  }

  /** Looks at new messages, and puts what was found into those that waited for it; true when there may be more. */
  async sweep(): Promise<boolean> {
    const looked = await this.#look();
    const told = await this.#tell();
    return looked || told;
  }

  /** Fetches pages; true when there may be more. */
  async fetchPages(): Promise<boolean> {
    const now = this.clock.now();
    const due = await this.db.background<{ url: string; attempts: number }>(
      `update link_previews p set try_at = $1::timestamptz + make_interval(secs => $2), attempts = attempts + 1 where p.state = 'PENDING' and p.try_at <= $1 and p.url = any(array(
         select url from (select distinct on (host) url, try_at from link_previews where state = 'PENDING' and try_at <= $1 order by host, try_at) h order by try_at limit $3))
       returning url, attempts`,
      [now, LEASE_SECONDS, AT_ONCE],
    );
    await Promise.all(due.map(({ url, attempts }) => this.#fetch(url, attempts)));
    // Of the hosts that were asked there may be more.
    return due.length > 0;
  }

  async #look(): Promise<boolean> {
    return this.unitOfWork.run({ actorId: NOBODY, operation: 'lookForLinks' }, async (tx) => {
      const since = new Date(tx.now.getTime() - LOOKED_AT_MS);
      const [sent, edited] = [await tx.sql<Unlooked>(SENT, [since, BATCH]), await tx.sql<Unlooked>(EDITED, [since, BATCH])];
      const rows = [...sent, ...edited];
      if (!rows.length) return false;
      const links = rows.map(({ text }) => firstLink(text));
      const named = [...new Set(links.filter((link) => link !== null))].sort();
      const products = await this.#productsOf(tx, named);
      const pages = this.options.pages ? named.filter((link) => !products.has(link)) : [];
      await tx.sql(
        `insert into link_previews (url, host, try_at) select u.url, u.host, $3 from unnest($1::text[], $2::text[]) u(url, host)
         on conflict (url) do update set state = 'PENDING', product_id = null, attempts = 0, try_at = $3, expires_at = null where link_previews.expires_at <= $3 or link_previews.product_id is not null`,
        [pages, pages.map((link) => new URL(link).hostname), tx.now],
      );
      const known = new Set([...products.keys(), ...pages]);
      const previews = links.map((url): PreviewRef => (url === null || !known.has(url) ? { state: 'NONE' } : { state: 'PENDING', url }));
      await tx.sql(
        `with given as (select * from unnest($1::uuid[], $2::int[], $3::jsonb[]) g(chat_id, seq, preview)),
              waits as (insert into link_preview_waits (url, chat_id, seq) select preview->>'url', chat_id, seq from given where preview ? 'url' on conflict (chat_id, seq) do update set url = excluded.url)
         update messages m set preview = g.preview from given g where m.chat_id = g.chat_id and m.seq = g.seq`,
        [rows.map(({ chatId }) => chatId), rows.map(({ seq }) => seq), previews.map((preview) => JSON.stringify(preview))],
      );
      return sent.length === BATCH || edited.length === BATCH;
    });
  }

  /** Links to what our own shops sell: nobody is asked for them, and what is shown of them is read with the message. */
  async #productsOf(tx: Tx, links: string[]): Promise<Map<string, string>> {
    const named = links.flatMap((url) => {
      const slugs = this.options.products?.read(url);
      return slugs ? [{ url, ...slugs }] : [];
    });
    if (!named.length) return new Map();
    const found = await tx.sql<{ url: string; productId: string }>(
      `insert into link_previews (url, host, state, product_id, try_at, expires_at)
       select n.url, '', 'READY', p.id, $2, $3 from jsonb_to_recordset($1) n(url text, shop text, product text)
       join shops s on s.slug = n.shop join products p on p.shop_id = s.id and p.slug = n.product where p.status = 'PUBLISHED' order by n.url
       on conflict (url) do update set state = 'READY', product_id = excluded.product_id, expires_at = excluded.expires_at returning url, product_id as "productId"`,
      [JSON.stringify(named), tx.now, new Date(tx.now.getTime() + NONE_KEPT_MS)],
    );
    return new Map(found.map(({ url, productId }) => [url, productId]));
  }

  async #tell(): Promise<boolean> {
    const rows = await this.db.background<MessageKey>(
      `select w.chat_id as "chatId", w.seq from link_preview_waits w join link_previews p on p.url = w.url where p.state <> 'PENDING' order by w.chat_id, w.seq limit $1`, [BATCH],
    );
    for (const [chatId, waiting] of Map.groupBy(rows, (row) => row.chatId)) await this.#tellChat(chatId, waiting.map(({ seq }) => seq));
    return rows.length === BATCH;
  }

  async #tellChat(chatId: string, seqs: number[]): Promise<void> {
    await this.unitOfWork.run({ actorId: NOBODY, operation: 'tellLinkPreviews' }, async (tx) => {
      await tx.sql('select from chats where id = $1 for update', [chatId]);
      // An edit since has made it wait for another link, a deletion for none.
      const told = await tx.sql<{ seq: number; state: string }>(
        `with done as (delete from link_preview_waits w using link_previews p where w.chat_id = $1 and w.seq = any($2) and p.url = w.url and p.state <> 'PENDING' returning w.seq, p.*)
         update messages m set version = m.version + (d.state = 'READY')::int, preview = case when d.state = 'NONE' then jsonb_build_object('state', 'NONE')
           when d.product_id is not null then jsonb_build_object('state', 'READY', 'url', d.url, 'productId', d.product_id) else
           jsonb_build_object('state', 'READY', 'url', d.url, 'title', d.title, 'description', d.description, 'imageUrl', d.image_url, 'siteName', d.site_name) end
         from done d where m.chat_id = $1 and m.seq = d.seq and m.deleted_at is null and m.preview->>'state' = 'PENDING' and m.preview->>'url' = d.url returning m.seq, d.state`,
        [chatId, seqs],
      );
      for (const { seq, state } of told.sort((a, b) => a.seq - b.seq)) if (state === 'READY') tx.append(chatStream(chatId), { kind: 'message.updated', seq });
      return null;
    });
  }

  async #fetch(url: string, attempts: number): Promise<void> {
    let meta: Meta | null = null;
    let again = false;
    try {
      meta = await this.#meta(url);
    } catch (error) {
      again = error instanceof OutboundError && error.mayPass && attempts < MAX_ATTEMPTS;
      this.log.debug({ url, reason: error instanceof OutboundError ? error.reason : (error as Error).message }, 'a page behind a link could not be had');
    }
    const now = this.clock.now().getTime();
    if (again) {
      await this.db.background('update link_previews set try_at = $2 where url = $1', [url, new Date(now + FIRST_RETRY_SECONDS * 1_000 * 4 ** (attempts - 1))]);
      return;
    }
    await this.db.background(
      'update link_previews set state = $2, title = $3, description = $4, image_url = $5, site_name = $6, expires_at = $7 where url = $1 and product_id is null',
      [url, meta ? 'READY' : 'NONE', meta?.title, meta?.description, meta?.imageUrl, meta?.siteName, new Date(now + (meta ? KEPT_MS : NONE_KEPT_MS))],
    );
  }

  async #meta(url: string): Promise<Meta | null> {
    const answer = await this.outbound.fetch(url, {
      headers: { accept: 'text/html, application/xhtml+xml' }, types: ['text/html', 'application/xhtml+xml'], maxBytes: HEAD_BYTES, overflow: 'cut', timeoutMs: TIMEOUT_MS,
    });
    if (answer.status !== 200) return null;
    const meta = await this.reader.meta({ body: answer.body, contentType: answer.headers['content-type'] ?? '', url: answer.url });
    return meta?.title ? { ...meta, title: meta.title } : null;
  }
}
