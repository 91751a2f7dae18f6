export type StatusKind = 'TEXT' | 'IMAGE' | 'VIDEO';
/** All mutual contacts, all of them but some, or some alone. */
export type StatusAudienceKind = 'CONTACTS' | 'EXCEPT' | 'ONLY';
export const STATUS_FONTS = ['SANS', 'SERIF', 'MONOSPACE', 'HANDWRITING', 'HEADLINE'] as const;
export type StatusFont = (typeof STATUS_FONTS)[number];
