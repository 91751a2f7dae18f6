import type { Tx } from '../../db/unit-of-work.js';
import type { FileKind } from '../../entities/file.js';
import { chatStream, userStream } from '../../events/catalogue.js';
import { DomainError } from '../../lib/errors.js';
import { distinct } from '../../lib/validate.js';
import { FILE_COLUMNS, FILES, type FileRow } from '../loaders/files.js';

/**
 * What ties a file to whatever shows it. The contract:
 *
 * - A file belongs to whoever uploaded it, and only they can claim it, once it is READY. Whoever may see what shows a file may have the file:
 *   a service shows a file only to those who may see its reference, and needs no other check.
 * - `claimFiles` in the transaction that writes the reference (a message, a status, an avatar), `releaseFiles` in the one that erases it. Both lock the files'
 *   rows, by id: after chats, before streams.
 * - A file may be claimed any number of times. When its last reference is released it is DELETED: from the commit on no link serves it, and a
 *   job removes its bytes. A READY file that nothing has claimed for a day is swept.
 * - `purpose` and `ref` name the reference. A room that shows files of its own adds its purpose here.
 */
export const FILE_PURPOSES = ['MESSAGE', 'STATUS', 'USER_AVATAR', 'CHAT_AVATAR', 'GROUP_AVATAR', 'CALL_RECORDING', 'CARD', 'SCHEDULED', 'HELD', 'INVOICE', 'PRODUCT'] as const;
export type FilePurpose = (typeof FILE_PURPOSES)[number];

/** Messages that are told of a rendition: of a file that was forwarded more often, the others show it when they are read again. */
const MAX_TOLD = 100;

/** What shows a file: the key of a row; of a message its chat and its number. */
export interface FileRef {
  id: string;
  seq?: number;
}

/** What a claim asks of a file. */
export interface ClaimRules {
  /** The input field that named the files, for errors. */
  field: string;
  most: number;
  kinds?: readonly FileKind[];
}

/**
 * The actor's own READY files, in the order given, locked until the transaction ends. Errors: NOT_FOUND (not there, or another's), STATE_CONFLICT (not READY),
 * INVALID_INPUT (too many, another kind).
 */
export async function lockOwnFiles(tx: Tx, actorId: string, given: readonly string[], { field, most, kinds }: ClaimRules): Promise<FileRow[]> {
  const ids = distinct(given, field, most);
  if (!ids.length) return [];
  const rows = await tx.sql<FileRow>(`select ${FILE_COLUMNS} from files f where f.id = any($1) and f.owner_id = $2 and f.state <> 'DELETED' order by f.id for update`, [ids, actorId]);
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => {
    const file = byId.get(id);
    if (!file) throw new DomainError('NOT_FOUND', 'There is no such file.', { field });
    if (file.state !== 'READY') throw new DomainError('STATE_CONFLICT', `The file is ${file.state}: only one that is READY can be shown.`, { field });
    if (kinds && !kinds.includes(file.kind)) throw new DomainError('INVALID_INPUT', `The file is of the kind ${file.kind}; ${kinds.join(' or ')} goes here.`, { field });
    return file;
  });
}

/** Ties files that the transaction has locked to what shows them. */
export async function tieFiles(tx: Tx, fileIds: readonly string[], purpose: FilePurpose, { id, seq = 0 }: FileRef): Promise<void> {
  if (!fileIds.length) return;
  await tx.sql('insert into file_references (purpose, ref_id, ref_seq, file_id) select $1, $2, $3, unnest($4::uuid[]) on conflict do nothing', [purpose, id, seq, fileIds]);
  await tx.sql('update files set expires_at = null where id = any($1) and expires_at is not null', [fileIds]);
  for (const fileId of fileIds) tx.changed(FILES, fileId);
}

/** `lockOwnFiles` and `tieFiles` in one: for what has its key before it is written. Answers the files in the order given. */
export async function claimFiles(tx: Tx, actorId: string, fileIds: readonly string[], purpose: FilePurpose, ref: FileRef, rules: ClaimRules): Promise<FileRow[]> {
  const files = await lockOwnFiles(tx, actorId, fileIds, rules);
  await tieFiles(tx, files.map((file) => file.id), purpose, ref);
  return files;
}

/**
 * Ties what one thing shows to another that shows it too (a forward): whoever does it has been asked whether they may see the first. Answers false, and ties
 * nothing, when one of the files is no longer there.
 */
export async function tieFilesOf(tx: Tx, from: { purpose: FilePurpose; ref: FileRef }, fileIds: readonly string[], to: { purpose: FilePurpose; ref: FileRef }): Promise<boolean> {
  const rows = await tx.sql(
    `select f.id from files f where f.id = any($1) and f.state = 'READY'
       and exists (select from file_references r where r.file_id = f.id and r.purpose = $2 and r.ref_id = $3 and r.ref_seq = $4) order by f.id for update`,
    [fileIds, from.purpose, from.ref.id, from.ref.seq ?? 0],
  );
  if (rows.length < fileIds.length) return false;
  await tieFiles(tx, fileIds, to.purpose, to.ref);
  return true;
}

/** Unties some files from what shows them; those that nothing shows any more are DELETED. */
export async function untieFiles(tx: Tx, fileIds: readonly string[], purpose: FilePurpose, { id, seq = 0 }: FileRef): Promise<void> {
  if (!fileIds.length) return;
  await tx.sql('select from files where id = any($1) order by id for update', [fileIds]);
  await tx.sql('delete from file_references where purpose = $1 and ref_id = $2 and ref_seq = $3 and file_id = any($4)', [purpose, id, seq, fileIds]);
  await deleteUnreferenced(tx, fileIds);
}

/** Unties whatever these references show; files that nothing shows any more are DELETED, and a job removes their bytes. */
export async function releaseFiles(tx: Tx, purpose: FilePurpose, refs: readonly FileRef[]): Promise<void> {
  if (!refs.length) return;
  const ids = await tx.sql<{ id: string }>(
    `select f.id from files f where f.id in (
       select r.file_id from file_references r join unnest($2::uuid[], $3::int[]) k(id, seq) on r.purpose = $1 and r.ref_id = k.id and r.ref_seq = k.seq) order by f.id for update`,
    [purpose, refs.map((ref) => ref.id), refs.map((ref) => ref.seq ?? 0)],
  );
  if (!ids.length) return;
  await tx.sql('delete from file_references r using unnest($2::uuid[], $3::int[]) k(id, seq) where r.purpose = $1 and r.ref_id = k.id and r.ref_seq = k.seq', [
    purpose, refs.map((ref) => ref.id), refs.map((ref) => ref.seq ?? 0),
  ]);
  await deleteUnreferenced(tx, ids.map(({ id }) => id));
}

/** A file has become READY, or was rejected: its owner hears of it. */
export function changeFile(tx: Tx, { id, ownerId }: Pick<FileRow, 'id' | 'ownerId'>): void {
  tx.changed(FILES, id);
  tx.append(userStream(ownerId), { kind: 'file.changed', fileId: id });
}

/** Locks the chats whose messages show a file, before the file is changed; `touch` then tells whoever reads them. */
export async function lockShown(tx: Tx, id: string): Promise<{ touch(): Promise<void> }> {
  const refs = await tx.sql<{ chatId: string; seq: number }>(
    `select r.ref_id as "chatId", r.ref_seq as seq from file_references r where r.file_id = $1 and r.purpose = 'MESSAGE' order by 1, 2 limit $2`,
    [id, MAX_TOLD],
  );
  await tx.sql('select from chats where id = any($1) order by id for update', [[...new Set(refs.map(({ chatId }) => chatId))]]);
  return {
    async touch() {
      const rows = await tx.sql<{ chatId: string; seq: number }>(
        `update messages m set version = version + 1 from unnest($1::uuid[], $2::int[]) r(chat_id, seq)
         where m.chat_id = r.chat_id and m.seq = r.seq and m.deleted_at is null returning m.chat_id as "chatId", m.seq`,
        [refs.map(({ chatId }) => chatId), refs.map(({ seq }) => seq)],
      );
      for (const { chatId, seq } of rows) tx.append(chatStream(chatId), { kind: 'message.updated', seq });
    },
  };
}

/** Of files that the transaction has locked: those that nothing shows are DELETED from its commit on. */
export async function deleteUnreferenced(tx: Tx, ids: readonly string[]): Promise<void> {
  const gone = await tx.sql<{ id: string }>(
    `update files f set state = 'DELETED', expires_at = null where f.id = any($1) and f.state <> 'DELETED' and not exists (select from file_references r where r.file_id = f.id) returning f.id`,
    [ids],
  );
  for (const { id } of gone) {
    tx.changed(FILES, id);
    await tx.enqueue('remove-file', { id }, { key: `remove-file ${id}` });
  }
}
