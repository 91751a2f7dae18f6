/** A cursor's stream and offset: its first and last parts. */
const partsOf = (cursor: string): string[] => atob(cursor.replaceAll('-', '+').replaceAll('_', '/')).split('|');
export const streamOf = (cursor: string): string => partsOf(cursor)[0]!;
export const offsetOf = (cursor: string): number => Number(partsOf(cursor)[2]);
