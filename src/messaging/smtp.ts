import { createTransport, type Transporter } from 'nodemailer';
import type { Mail, Mailer } from './messaging.js';

/** A server that says nothing for this long has failed: the job behind a mail tries again. */
const PATIENCE_MS = 20_000;

/** Sends mails over SMTP; `url` as smtp://user:password@host:587 (STARTTLS where offered) or smtps://…. */
export class SmtpMailer implements Mailer {
  readonly #transport: Transporter;

  constructor(
    url: string,
    private readonly from: string,
  ) {
    this.#transport = createTransport({ url, connectionTimeout: PATIENCE_MS, greetingTimeout: PATIENCE_MS, socketTimeout: PATIENCE_MS });
  }

  async send({ to, subject, text }: Mail): Promise<void> {
    // As an object the address is one address, whatever it holds.
    await this.#transport.sendMail({ from: this.from, to: { name: '', address: to }, subject, text });
  }

  async close(): Promise<void> {
    this.#transport.close();
  }
}
