import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSchema, isEnumType, isUnionType } from 'graphql';
import { compareScopes, scopesPage } from '../../scripts/lib/scopes-page.js';
import { ERROR_CODES } from '../../src/lib/errors.js';
import { CLOSE } from '../../src/server/realtime/ws-connection.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const DOCUMENTS = ['README.md', ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];

describe('the documents are true of the code', () => {
  const schema = buildSchema(read('schema.graphql'));

  it('docs/ERRORS.md lists every code, in the order of the code', () => {
    assert.deepEqual([...read('docs/ERRORS.md').matchAll(/^\| `([A-Z_]+)` \|/gm)].map((match) => match[1]), [...ERROR_CODES]);
  });

  it('every field that an app could ask for, and every object type, has an entry in the tables of scopes, and every entry is of a field or type', () => {
    const { missing, stale } = compareScopes(schema);
    assert.deepEqual(missing, [], 'add these lines, with a scope, to src/policies/field-scopes.ts or type-scopes.ts');
    assert.deepEqual(stale, [], 'the schema has none of these: take their lines out of src/policies/field-scopes.ts or type-scopes.ts');
  });

  it('docs/schema/SCOPES.md is what the tables of scopes say', () => {
    assert.equal(read('docs/schema/SCOPES.md'), scopesPage(schema), 'npm run docs:scopes writes it');
  });

  it('docs/EVENTS.md names every event, every reason to resync, and every close code', () => {
    const text = read('docs/EVENTS.md');
    const named = new Set([...text.matchAll(/`([A-Za-z_]+)`/g)].map((match) => match[1]));
    for (const union of ['ChatEvent', 'InboxEvent', 'CallEvent', 'NewsEvent', 'CartEvent']) {
      const type = schema.getType(union);
      assert.ok(isUnionType(type));
      for (const { name } of type.getTypes()) assert.ok(named.has(name), `${name} is missing`);
    }
    for (const field of Object.keys(schema.getSubscriptionType()!.getFields())) assert.ok(text.includes(`\`${field}(`), `${field} is missing`);
    const reasons = schema.getType('ResyncReason');
    assert.ok(isEnumType(reasons));
    assert.deepEqual([...text.matchAll(/^\| `([A-Z_]+)` \|/gm)].map((match) => match[1]).sort(), reasons.getValues().map(({ name }) => name).sort());
    const codes = [...text.matchAll(/^\| (\d{4}) \|/gm)].map((match) => Number(match[1]));
    for (const code of Object.values(CLOSE)) assert.ok(codes.includes(code), `close code ${code} is missing`);
  });

  /** A bound that a document states, where the code sets it, and how the document writes it. */
  const BOUNDS: [document: string, file: string, constant: RegExp, written: (value: number) => string][] = [
    ['docs/EVENTS.md', 'src/events/tail.ts', /GAP_WAIT_MS = ([\d_]+)/, (ms) => `${ms} ms`],
    ['docs/EVENTS.md', 'src/server/realtime/event-ring.ts', /KEPT = ([\d_]+)/, (events) => `| ${events} |`],
    ['docs/EVENTS.md', 'src/server/realtime/channel.ts', /MAX_REPLAY = ([\d_]+)/, (events) => `${events.toLocaleString('en')} events`],
    ['docs/EVENTS.md', 'src/server/realtime/channels.ts', /LINGER_MS = ([\d_]+)/, (ms) => `| ${ms / 1_000} s |`],
    ['docs/EVENTS.md', 'src/server/realtime/inbox-source.ts', /MAX_CURSORS = ([\d_]+)/, (cursors) => `up to ${cursors.toLocaleString('en')}`],
    ['docs/EVENTS.md', 'src/server/realtime/receipt-feed.ts', /PAUSE_MS = ([\d_]+)/, (ms) => (ms === 1_000 ? 'at most one a second' : 'another pause')],
    ['docs/EVENTS.md', 'src/services/upkeep.ts', /EVENTS_KEPT_DAYS = ([\d_]+)/, (days) => `${days} days`],
    ['docs/DOCUMENTS.md', 'src/services/documents/yjs.ts', /MAX_UPDATE_BYTES = ([\d_]+) \* 1024/, (kib) => `| ${kib} KiB | \`INVALID_INPUT\``],
    ['docs/DOCUMENTS.md', 'src/services/documents/yjs.ts', /MAX_UPDATE_STRUCTS = ([\d_]+)/, (parts) => `| ${parts.toLocaleString('en')} |`],
    ['docs/DOCUMENTS.md', 'src/services/documents/whiteboard-writer.ts', /MAX_DOCUMENT_BYTES = ([\d_]+) \* 1024/, (mib) => `| ${mib} MiB; deletions`],
    ['docs/DOCUMENTS.md', 'src/services/documents/whiteboard-writer.ts', /COMPACT_UPDATES = ([\d_]+)/, (updates) => `From ${updates} updates on`],
    ['docs/DOCUMENTS.md', 'src/services/documents/document-updates.ts', /UPDATES_A_MINUTE = ([\d_]+)/, (updates) => `| ${updates.toLocaleString('en')} a minute; each`],
    ['docs/DOCUMENTS.md', 'src/services/documents/document-updates.ts', /AWARENESS_LIFE_MS = ([\d_]+)/, (ms) => `for ${ms / 1_000} seconds`],
    ['docs/DOCUMENTS.md', 'src/services/documents/documents.ts', /MAX_WHITEBOARDS = ([\d_]+)/, (boards) => `| ${boards} |`],
    ['docs/DOCUMENTS.md', 'src/services/documents/browsing.ts', /MAX_TAIL_BYTES = ([\d_]+) \* 1024/, (mib) => `past ${mib} MiB`],
    ['docs/DOCUMENTS.md', 'src/policies/control-policy.ts', /MAX_CONTROL_REQUESTS = ([\d_]+)/, (people) => `| ${people} | \`LIMIT`],
    ['docs/CALLS.md', 'src/services/calls/calls.ts', /MAX_RUNG = ([\d_]+)/, (people) => `${people} people at the most`],
    ['docs/CALLS.md', 'src/services/calls/calls.ts', /RING_MS = ([\d_]+)/, (ms) => `MISSED (${ms / 1_000} s,`],
    ['docs/CALLS.md', 'src/services/calls/call-changes.ts', /SEAT_KEPT_MS = ([\d_]+)/, (ms) => `**kept for ${ms / 1_000} s**`],
    ['docs/STATUSES.md', 'src/services/statuses/statuses.ts', /STATUS_HOURS = ([\d_]+)/, (hours) => `for ${hours} hours`],
    ['docs/STATUSES.md', 'src/services/statuses/statuses.ts', /STATUSES_A_DAY = ([\d_]+)/, (statuses) => `| ${statuses} |`],
    ['docs/STATUSES.md', 'src/services/statuses/statuses.ts', /MAX_STATUS_BYTES = ([\d_]+)/, (bytes) => `| ${bytes / 1024} KiB |`],
    ['docs/STATUSES.md', 'src/services/statuses/statuses.ts', /MAX_LISTED = ([\d_]+)/, (people) => `| ${people.toLocaleString('en')} people |`],
    ['docs/STATUSES.md', 'src/services/statuses/status-news.ts', /TOLD_AT_ONCE = ([\d_]+)/, (people) => `batches of ${people}`],
    ['docs/STATUSES.md', 'src/services/statuses/highlights.ts', /MAX_HIGHLIGHTS = ([\d_]+)/, (highlights) => `| ${highlights} highlights,`],
    ['docs/STATUSES.md', 'src/services/statuses/highlight-items.ts', /MAX_ITEMS = ([\d_]+)/, (statuses) => `of ${statuses} statuses |`],
    ['docs/FILES.md', 'src/config.ts', /FILE_URL_TTL: [^.]+\.default\(([\d_]+)\)/, (seconds) => `for twice \`FILE_URL_TTL\` at the most: ${(2 * seconds) / 3_600} hours unless`],
    ['docs/ERRORS.md', 'src/services/upkeep.ts', /KEYS_KEPT_DAYS = ([\d_]+)/, (days) => `within ${days} days`],
    ['docs/ERRORS.md', 'src/server/limits/introspection-cost.ts', /INTROSPECTION_COST = ([\d_]+)/, (cost) => `costs up to ${cost.toLocaleString('en')}`],
    ['docs/ERRORS.md', 'src/config.ts', /ACCESS_TOKEN_TTL: [^.]+\.default\(([\d_]+)\)/, (seconds) => `${seconds / 60} minutes`],
  ];
  for (const [document, file, constant, written] of BOUNDS) {
    it(`${document} states ${constant.source.split(' ')[0]} of ${file}`, () => {
      const value = constant.exec(read(file))?.[1];
      assert.ok(value, `${file} sets no such bound any more`);
      const text = written(Number(value.replaceAll('_', '')));
      assert.ok(read(document).includes(text), `the document does not say "${text}"`);
    });
  }

  for (const document of DOCUMENTS) {
    it(`${document} names files that exist`, () => {
      const text = read(document);
      for (const [, path] of text.matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)) assert.ok(existsSync(join(ROOT, dirname(document), path!)), path);
      for (const [, path] of text.matchAll(/`((?:src|sdk|test|scripts|migrations|bench|docs)\/[\w./-]+)`/g)) assert.ok(existsSync(join(ROOT, path!)), path);
    });
  }
});
