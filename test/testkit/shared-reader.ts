import { Reader } from '../../src/news/reader.js';

let reader: Reader | null = null;

/** One for all worlds of a run: to start its thread from sources takes seconds. */
export const sharedReader = (): Reader => (reader ??= new Reader());

export async function closeSharedReader(): Promise<void> {
  await reader?.close();
  reader = null;
}
