/** What is looked through for a declaration of the encoding. */
const HEAD_BYTES = 1_024;
const DECLARED = /<\?xml[^>]*\bencoding\s*=\s*["']([\w.:-]{1,40})["']|<meta[^>]*\bcharset\s*=\s*["']?([\w.:-]{1,40})/i;

function decoder(label: string | undefined, fatal: boolean): TextDecoder | null {
  try {
    return label ? new TextDecoder(label, { fatal }) : null;
  } catch {
    return null; // nobody knows such an encoding
  }
}

/**
 * Bytes as text: by a byte order mark, else the HTTP header, else what the document says of itself, else UTF-8. What claims to be UTF-8 and isn't was written by a system of
 * the nineties: it is read as windows-1252, as browsers do.
 */
export function decode(bytes: Uint8Array, contentType: string): string {
  const marked = bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 'utf-8' : undefined;
  const head = DECLARED.exec(Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, HEAD_BYTES)).toString('latin1'));
  const said = /charset\s*=\s*"?([\w.:-]{1,40})/i.exec(contentType)?.[1];
  for (const label of [marked, said, head?.[1] ?? head?.[2], 'utf-8']) {
    try {
      const text = decoder(label, true)?.decode(bytes);
      if (text !== undefined) return text;
    } catch {
      // not what it was said to be
    }
  }
  return new TextDecoder('windows-1252').decode(bytes);
}
