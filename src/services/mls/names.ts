import { invalidInput } from '../../lib/errors.js';
import { encodeId } from '../../lib/ids.js';
import { CIPHER_SUITE, MlsFormatError, readMlsMessage, type MlsMessage } from '../../lib/mls-wire.js';

/** What the credential of a device says (RFC 9420, 5.3), and what nobody else's may. */
export const identityOf = (userId: string, deviceId: string): string => `${encodeId('User', userId)}/${encodeId('Device', deviceId)}`;

/** The group_id of a chat's group: another one for each that is made anew. */
export const groupIdOf = (chatId: string, generation: number): string => `${encodeId('Chat', chatId)}/${generation}`;

/** An MLSMessage of one kind. Throws `INVALID_INPUT`. */
export function readInput<Kind extends MlsMessage['kind']>(bytes: Buffer, field: string, maxBytes: number, ...kinds: Kind[]): Extract<MlsMessage, { kind: Kind }> {
  if (bytes.length > maxBytes) throw invalidInput(field, `${field} is larger than ${maxBytes} bytes.`);
  const message = parsed(bytes, field);
  if (!(kinds as string[]).includes(message.kind)) throw invalidInput(field, `${field} is an MLSMessage, but not one of this kind.`);
  if ('cipherSuite' in message && message.cipherSuite !== CIPHER_SUITE) throw invalidInput(field, `The cipher suite here is ${CIPHER_SUITE}.`);
  return message as Extract<MlsMessage, { kind: Kind }>;
}

function parsed(bytes: Buffer, field: string): MlsMessage {
  try {
    return readMlsMessage(bytes);
  } catch (error) {
    if (error instanceof MlsFormatError) throw invalidInput(field, `${field} is no MLSMessage (RFC 9420, 6): ${error.message}`);
    throw error;
  }
}
