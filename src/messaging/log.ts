import type { Logger } from '../lib/logger.js';
import type { Mail, Mailer, Sms, SmsSender } from './messaging.js';

/** Where no mail server is set: mails are written to the log, for whoever tries the platform out. */
export class LogMailer implements Mailer {
  constructor(private readonly log: Logger) {}

  async send(mail: Mail): Promise<void> {
    this.log.info({ mail }, 'a mail, not sent: SMTP_URL is not set');
  }

  async close(): Promise<void> {}
}

/** Where no gateway is wired: text messages are written to the log. */
export class LogSmsSender implements SmsSender {
  constructor(private readonly log: Logger) {}

  async send(sms: Sms): Promise<void> {
    this.log.info({ sms }, 'a text message, not sent: no gateway is wired');
  }
}
