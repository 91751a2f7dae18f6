/**
 * The bytes that a Range header asks for, of so many (RFC 9110, 14): both ends included; null for all of them, which is also the answer to what is not understood and to
 * several ranges at once; 'unsatisfiable' for what lies behind the end.
 */
export function byteRange(header: string | undefined, bytes: number): { start: number; end: number } | null | 'unsatisfiable' {
  const match = header === undefined ? null : /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header.trim());
  if (!match || (!match[1] && !match[2])) return null;
  if (!match[1]) {
    const last = Number(match[2]);
    return last === 0 ? 'unsatisfiable' : { start: Math.max(0, bytes - last), end: bytes - 1 };
  }
  const start = Number(match[1]);
  const end = match[2] ? Math.min(Number(match[2]), bytes - 1) : bytes - 1;
  if (match[2] && Number(match[2]) < start) return null;
  return start >= bytes ? 'unsatisfiable' : { start, end };
}
