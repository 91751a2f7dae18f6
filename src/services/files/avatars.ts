import type { Tx } from '../../db/unit-of-work.js';
import { invalidInput } from '../../lib/errors.js';
import { cleanUrl } from '../../lib/validate.js';
import { claimFiles, releaseFiles, type FilePurpose } from './file-claims.js';

/** How a column that holds an address names one of our files. */
export const UPLOADED = 'file:';

/** The id of the file behind an avatar, or another picture that is kept so; null for an address elsewhere. */
export const avatarFileId = (avatar: string | null): string | null => (avatar?.startsWith(UPLOADED) ? avatar.slice(UPLOADED.length) : null);

export interface AvatarInput {
  avatarUrl?: string | null;
  avatarFileId?: string | null;
}

/** What a change makes of an avatar: undefined where it stays. Errors: INVALID_INPUT. */
export function cleanAvatar({ avatarUrl, avatarFileId: fileId }: AvatarInput): string | null | undefined {
  if (fileId != null) {
    if (avatarUrl != null) throw invalidInput('avatarFileId', 'An avatar is a file or an address, not both.');
    return UPLOADED + fileId;
  }
  return avatarUrl == null ? avatarUrl : cleanUrl(avatarUrl, 'avatarUrl');
}

/** In the transaction that writes it: the new picture is claimed, the old one released. Errors: NOT_FOUND, STATE_CONFLICT, INVALID_INPUT (not a picture). */
export async function changeAvatar(tx: Tx, actorId: string, change: { before: string | null; after: string | null }, purpose: FilePurpose, id: string): Promise<void> {
  const [before, after] = [avatarFileId(change.before), avatarFileId(change.after)];
  if (before === after) return;
  if (before) await releaseFiles(tx, purpose, [{ id }]);
  if (after) await claimFiles(tx, actorId, [after], purpose, { id }, { field: 'avatarFileId', most: 1, kinds: ['IMAGE'] });
}
