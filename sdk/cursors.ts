/** A cursor's stream, epoch and offset. */
const partsOf = (cursor: string): string[] => atob(cursor.replaceAll('-', '+').replaceAll('_', '/')).split('|');
export const streamOf = (cursor: string): string => partsOf(cursor)[0]!;
export const epochOf = (cursor: string): string => partsOf(cursor)[1]!;
export const offsetOf = (cursor: string): number => Number(partsOf(cursor)[2]);
/** The stream of a chat, by its id: both hold its key, a UUID, which the id has without hyphens. */
export const chatStreamOf = (chatId: string): string => chatId.replace(/^cht_(.{8})(.{4})(.{4})(.{4})(.{12})$/, 'chat:$1-$2-$3-$4-$5');
