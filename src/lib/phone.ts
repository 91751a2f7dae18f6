import { isSupportedCountry, parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js';
import { invalidInput } from './errors.js';

/** Longer than any way to write a number. */
const MAX_LENGTH = 64;

/** A country whose numbers may be written without their country code: ISO 3166-1 alpha-2. Throws `INVALID_INPUT`. */
export function checkRegion(value: string, field: string): CountryCode {
  const region = value.toUpperCase();
  if (!isSupportedCountry(region)) throw invalidInput(field, `${field} is a country's two letters, as CH.`);
  return region;
}

/** The number in E.164 (`+41791234567`), or null for what can't be a phone number. Without a region it must begin with its country code. */
export function parsePhone(text: string, region?: CountryCode): string | null {
  if (text.length > MAX_LENGTH) return null;
  const phone = parsePhoneNumberFromString(text, region);
  return phone?.isValid() ? phone.number : null;
}

/** How people write a number with its country code: digits, and what groups them. */
const WRITTEN = /^\s*\+[\d\s().\-/]+$/;

/** A number that is given as one, with its country code: E.164. Throws `INVALID_INPUT`. */
export function cleanPhone(value: string, field = 'phone'): string {
  const phone = value.length <= MAX_LENGTH && WRITTEN.test(value) ? parsePhone(value) : null;
  if (phone === null) throw invalidInput(field, `${field} is a phone number with its country code, as +41 79 123 45 67.`);
  return phone;
}
