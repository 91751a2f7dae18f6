import type { Readable } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import type { Sql } from '../../db/database.js';
import { pageRequest, toPage, type Page, type PageArgs } from '../../db/pages.js';
import type { UnitOfWork } from '../../db/unit-of-work.js';
import { pairsOf, type Pair } from '../../language/faq.js';
import { passagesOf } from '../../language/retrieval.js';
import { DomainError, invalidInput, notFound } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import { checkIdempotencyKey, cleanText, cleanUrl, distinct } from '../../lib/validate.js';
import type { Reader } from '../../news/reader.js';
import type { Outbound } from '../../outbound/outbound.js';
import type { Actor } from '../actor.js';
import { KNOWLEDGE_COLUMNS, type KnowledgeKind, type KnowledgeRow } from '../loaders/bots.js';
import { lockOwnBot } from './bots.js';
import { tellOwner } from './owner-news.js';

const MAX_TEXT = 256 * 1024;
const MAX_FILE = 1024 * 1024;
const MAX_PAIRS = 500;
const MAX_PAGES = 10;
const MAX_PASSAGES = 5_000;
const MAX_QUESTION = 1_024;
const MAX_ANSWER = 8_192;
const MAX_TITLE = 256;
const READABLE = /^(text\/(plain|markdown|csv|html)|application\/(json|x-ndjson))\b/;

/** Exactly one of these. */
export interface NewKnowledge {
  text: string | null;
  pairs: Pair[] | null;
  fileId: string | null;
  /** Pages of a site. */
  urls: string[] | null;
}
export interface AddKnowledge extends NewKnowledge {
  botId: string;
  title: string | null;
  idempotencyKey: string;
}

interface Piece {
  kind: KnowledgeKind;
  title: string;
  url: string | null;
  passages: { question: string | null; text: string }[];
}

/** What bots are given to read: cut into passages, which answers quote. */
export class BotKnowledgeService {
  constructor(
    private readonly sql: Sql,
    private readonly unitOfWork: UnitOfWork,
    private readonly open: (key: string) => Promise<Readable>,
    private readonly outbound: Pick<Outbound, 'fetch'>,
    private readonly reader: Pick<Reader, 'page'>,
  ) {}

  /** Of a bot of the actor's, the oldest first. Errors: NOT_FOUND. */
  async list(actor: Actor, botId: string, args: PageArgs): Promise<Page<KnowledgeRow>> {
    const request = pageRequest(args, ['uuid']);
    const rows = await this.sql<KnowledgeRow>(
      `select ${KNOWLEDGE_COLUMNS} from bot_knowledge k join bots b on b.id = k.bot_id where b.id = $1 and b.owner_id = $2 and ($3::uuid is null or k.id > $3) order by k.id limit $4`,
      [botId, actor.userId, request.from?.[0] ?? null, request.limit],
    );
    return toPage(rows, request, (row) => [row.id]);
  }

  /**
   * Pages are fetched, and files read, before anything is written. Errors: NOT_FOUND (bot, file), INVALID_INPUT (nothing in it that could be read; not exactly one source), STATE_CONFLICT (a
   * file that is not READY), UNAVAILABLE (a page could not be had), LIMIT_REACHED.
   */
  async add(actor: Actor, input: AddKnowledge): Promise<KnowledgeRow[]> {
    checkIdempotencyKey(input.idempotencyKey);
    if ([input.text, input.pairs, input.fileId, input.urls].filter((one) => one !== null).length !== 1) throw invalidInput('text', 'Give one of text, faq, fileId and urls.');
    const [own] = await this.sql('select from bots where id = $1 and owner_id = $2 and deleted_at is null', [input.botId, actor.userId]);
    if (!own) throw new DomainError('NOT_FOUND', 'There is no such bot.', { field: 'botId' });
    const title = input.title === null ? null : cleanText(input.title, { field: 'title', maxBytes: MAX_TITLE });
    const pieces = await this.#pieces(actor, title, input);
    if (!pieces.every((piece) => piece.passages.length)) throw invalidInput(input.urls ? 'urls' : input.fileId ? 'fileId' : 'text', 'There is nothing to read in it.');
    const { idempotencyKey, ...bound } = input;
    const { ids } = await this.unitOfWork.run({ actorId: actor.userId, operation: 'addBotKnowledge', idempotencyKey, input: bound }, async (tx) => {
      await lockOwnBot(tx, actor, input.botId);
      const [known] = await tx.sql<{ n: number }>('select coalesce(sum(passages), 0)::int as n from bot_knowledge where bot_id = $1', [input.botId]);
      if (known!.n + pieces.reduce((sum, piece) => sum + piece.passages.length, 0) > MAX_PASSAGES) throw new DomainError('LIMIT_REACHED', `A bot reads at most ${MAX_PASSAGES} passages.`);
      const made: string[] = [];
      for (const piece of pieces) {
        const id = newId();
        made.push(id);
        await tx.sql('insert into bot_knowledge (id, bot_id, kind, title, url, passages, created_at) values ($1, $2, $3, $4, $5, $6, $7)', [id, input.botId, piece.kind, piece.title, piece.url, piece.passages.length, tx.now]);
        await tx.sql('insert into bot_passages (knowledge_id, ord, question, text) select $1, p.ord, p.question, p.text from unnest($2::text[], $3::text[]) with ordinality p(question, text, ord)', [
          id, piece.passages.map(({ question }) => question), piece.passages.map(({ text }) => text),
        ]);
      }
      await tx.sql('update bots set knowledge = knowledge + 1 where id = $1', [input.botId]);
      tellOwner(tx, actor.userId, input.botId);
      return { ids: made };
    });
    return this.sql<KnowledgeRow>(`select ${KNOWLEDGE_COLUMNS} from bot_knowledge k where k.id = any($1) order by k.id`, [ids]);
  }

  /** Errors: NOT_FOUND. */
  async remove(actor: Actor, id: string): Promise<void> {
    await this.unitOfWork.run({ actorId: actor.userId, operation: 'removeBotKnowledge' }, async (tx) => {
      const [gone] = await tx.sql<{ botId: string }>(
        'delete from bot_knowledge k using bots b where k.id = $1 and b.id = k.bot_id and b.owner_id = $2 returning k.bot_id as "botId"', [id, actor.userId],
      );
      if (!gone) throw notFound('knowledge');
      await tx.sql('update bots set knowledge = knowledge + 1 where id = $1', [gone.botId]);
      tellOwner(tx, actor.userId, gone.botId);
    });
  }

  async #pieces(actor: Actor, title: string | null, { text, pairs, fileId, urls }: NewKnowledge): Promise<Piece[]> {
    if (text !== null) {
      const cleaned = cleanText(text, { field: 'text', maxBytes: MAX_TEXT, multiline: true });
      return [{ title: title ?? cleaned.slice(0, 60).split('\n')[0]!, url: null, ...read(cleaned, 'TEXT') }];
    }
    if (pairs !== null) return [{ kind: 'FAQ', title: title ?? 'FAQ', url: null, passages: distinct(pairs, 'faq', MAX_PAIRS).map(cleanPair) }];
    if (fileId !== null) return [await this.#file(actor, title, fileId)];
    const addresses = distinct(urls!.map((url) => cleanUrl(url, 'urls')), 'urls', MAX_PAGES);
    return Promise.all(addresses.map((url) => this.#page(title, url)));
  }

  async #file(actor: Actor, title: string | null, fileId: string): Promise<Piece> {
    const [file] = await this.sql<{ name: string; state: string; key: string | null; contentType: string; bytes: number }>(
      'select name, state, key, content_type as "contentType", bytes::float8 as bytes from files where id = $1 and owner_id = $2', [fileId, actor.userId],
    );
    if (!file) throw new DomainError('NOT_FOUND', 'There is no such file.', { field: 'fileId' });
    if (file.state !== 'READY' || file.key === null) throw new DomainError('STATE_CONFLICT', 'The file is not ready.', { field: 'fileId' });
    if (!READABLE.test(file.contentType) || file.bytes > MAX_FILE) throw invalidInput('fileId', 'A file to read is a text (plain, Markdown, CSV, HTML, JSON) of at most 1 MiB.');
    const body = readable(await textOf(await this.open(file.key)));
    return { title: title ?? file.name, url: null, ...read(body, 'FILE') };
  }

  async #page(title: string | null, url: string): Promise<Piece> {
    const answer = await this.outbound.fetch(url, { types: ['text/html', 'application/xhtml+xml', 'text/plain'], maxBytes: MAX_FILE, overflow: 'cut' }).catch((error: unknown) => {
      throw Object.assign(new DomainError('UNAVAILABLE', 'A page could not be had.', { field: 'urls' }), { cause: error });
    });
    if (answer.status !== 200) throw new DomainError('UNAVAILABLE', 'A page could not be had.', { field: 'urls' });
    const page = await this.reader.page({ body: answer.body, contentType: answer.headers['content-type'] ?? '', url: answer.url });
    return { title: title ?? new URL(url).host + new URL(url).pathname, url, ...read(readable(page?.text ?? ''), 'PAGE') };
  }
}

/** An FAQ is taken as its pairs, whatever it came in. */
function read(text: string, kind: KnowledgeKind): Pick<Piece, 'kind' | 'passages'> {
  const pairs = pairsOf(text).slice(0, MAX_PAIRS);
  if (pairs.length > 1) return { kind: kind === 'TEXT' ? 'FAQ' : kind, passages: pairs.map(({ question, answer }) => ({ question: question.slice(0, MAX_QUESTION), text: answer.slice(0, MAX_ANSWER) })) };
  return { kind, passages: passagesOf(text).map((passage) => ({ question: null, text: passage })) };
}

/** What PostgreSQL can keep of what others have written. */
const readable = (text: string): string => text.toWellFormed().replaceAll('\0', '').replaceAll('\r\n', '\n');

const cleanPair = ({ question, answer }: Pair): { question: string; text: string } => ({
  question: cleanText(question, { field: 'faq.question', maxBytes: MAX_QUESTION, multiline: true }),
  text: cleanText(answer, { field: 'faq.answer', maxBytes: MAX_ANSWER, multiline: true }),
});
