/** A cursor's stream, epoch and offset. */
const partsOf = (cursor: string): string[] => atob(cursor.replaceAll('-', '+').replaceAll('_', '/')).split('|');
export const streamOf = (cursor: string): string => partsOf(cursor)[0]!;
export const epochOf = (cursor: string): string => partsOf(cursor)[1]!;
export const offsetOf = (cursor: string): number => Number(partsOf(cursor)[2]);
