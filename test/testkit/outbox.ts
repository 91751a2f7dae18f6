import type { Mail, Mailer, Sms, SmsSender } from '../../src/messaging/messaging.js';

/** Keeps what the platform sends, in place of a mail server and a gateway for text messages. */
export class Outbox implements Mailer, SmsSender {
  readonly mails: Mail[] = [];
  readonly texts: Sms[] = [];
  /** So many sends fail first, as when the other side is away. */
  failures = 0;

  async send(message: Mail | Sms): Promise<void> {
    if (this.failures-- > 0) throw new Error('the other side is away');
    this.failures = 0;
    if ('subject' in message) this.mails.push(message);
    else this.texts.push(message);
  }

  mailsTo(address: string): Mail[] {
    return this.mails.filter((mail) => mail.to === address);
  }

  textsTo(phone: string): Sms[] {
    return this.texts.filter((text) => text.to === phone);
  }

  async close(): Promise<void> {}
}

/** The code in a mail. */
export const tokenIn = (mail: Mail): string => /^[\w-]{43}$/m.exec(mail.text)![0];
/** The digits in a text message. */
export const digitsIn = (sms: Sms): string => /^\d{6}\b/.exec(sms.text)![0];
