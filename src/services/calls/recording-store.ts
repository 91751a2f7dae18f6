import type { MediaStore } from '../../media/media-store.js';
import type { ObjectStore } from '../../storage/store.js';

/** The type of a recording, by its name. */
export const recordingType = (name: string): string => (name.endsWith('.webm') ? 'video/webm' : 'video/matroska');

/** Recordings stand in the same store as all files. */
export const recordingStore = (store: ObjectStore): MediaStore => ({
  async put(name, file) {
    return { key: name, ...(await store.putFile(name, file, recordingType(name))) };
  },
});
