/** A mail in plain text. */
export interface Mail {
  to: string;
  subject: string;
  text: string;
}

/** Sends mails. `send` resolves once the mail has been taken over by whoever delivers it, and rejects when it has not: jobs try again. */
export interface Mailer {
  send(mail: Mail): Promise<void>;
  close(): Promise<void>;
}

export interface Sms {
  /** In E.164. */
  to: string;
  text: string;
}

/** Sends text messages; an adapter for a gateway is one class with this one method. */
export interface SmsSender {
  send(sms: Sms): Promise<void>;
}
