import { DomainError } from '../lib/errors.js';

/** A place in a stream. Opaque to clients: (stream, epoch, offset). */
export interface Cursor {
  stream: string;
  epoch: string;
  pos: number;
}

export const encodeCursor = (stream: string, epoch: string, pos: number): string => Buffer.from(`${stream}|${epoch}|${pos}`, 'latin1').toString('base64url');

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const SHAPE = new RegExp(`^((?:chat|user|call|news|cart):${UUID})\\|(${UUID})\\|(0|[1-9][0-9]{0,14})$`);

/** Throws `INVALID_CURSOR` for what this server can't have made. Whether the stream may be read is asked elsewhere. */
export function decodeCursor(text: string, field = 'after'): Cursor {
  const match = text.length <= 256 ? SHAPE.exec(Buffer.from(text, 'base64url').toString('latin1')) : null;
  if (!match) throw new DomainError('INVALID_CURSOR', 'This is not an event cursor of this API.', { field });
  return { stream: match[1]!, epoch: match[2]!, pos: Number(match[3]) };
}
