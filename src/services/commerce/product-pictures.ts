import type { Tx } from '../../db/unit-of-work.js';
import { invalidInput } from '../../lib/errors.js';
import { cleanUrl } from '../../lib/validate.js';
import { avatarFileId, UPLOADED } from '../files/avatars.js';
import { lockOwnFiles, tieFiles, untieFiles } from '../files/file-claims.js';

/** A picture or a video as it is given: a file of the actor's, or an address. */
export interface GivenPicture {
  fileId?: string | null;
  url?: string | null;
}

/** As it is kept. Throws INVALID_INPUT. */
export function cleanPicture({ fileId, url }: GivenPicture, field: string): string {
  if ((fileId == null) === (url == null)) throw invalidInput(field, 'A picture is either a file or an address.');
  return fileId == null ? cleanUrl(url!, field) : UPLOADED + fileId;
}

export function givenPicture(picture: string): GivenPicture {
  const fileId = avatarFileId(picture);
  return fileId === null ? { url: picture } : { fileId };
}

/**
 * The files that a product is to show: those that it did not show yet are locked, and must be the actor's, before anything is written; then `keep` ties them and lets go of the others.
 * Errors: NOT_FOUND, STATE_CONFLICT, INVALID_INPUT, as of claiming.
 */
export async function lockPictures(tx: Tx, actorId: string, productId: string, pictures: readonly (string | null)[]): Promise<{ keep(): Promise<void> }> {
  const wanted = new Set(pictures.flatMap((picture) => avatarFileId(picture) ?? []));
  const shown = (await tx.sql<{ id: string }>(`select file_id as id from file_references where purpose = 'PRODUCT' and ref_id = $1`, [productId])).map(({ id }) => id);
  const added = [...wanted].filter((id) => !shown.includes(id));
  await lockOwnFiles(tx, actorId, added, { field: 'media', most: pictures.length, kinds: ['IMAGE', 'VIDEO'] });
  return {
    async keep() {
      await tieFiles(tx, added, 'PRODUCT', { id: productId });
      await untieFiles(tx, shown.filter((id) => !wanted.has(id)), 'PRODUCT', { id: productId });
    },
  };
}
