import type { Mail } from '../messaging/messaging.js';

/** The mails that people get. A link leads to the app at `PUBLIC_URL`, where that is set; the code alone can always be pasted. */
export class Mails {
  constructor(private readonly publicUrl: string | null) {}

  verification(to: string, token: string): Mail {
    const text = `Somebody, we hope you, gave this address for an account.\n\n${this.#way('verify-email', token)}\n\nThe code is good for 24 hours. If it wasn't you, do nothing.\n`;
    return { to, subject: 'Is this your e-mail address?', text };
  }

  passwordReset(to: string, token: string): Mail {
    const text = `Somebody, we hope you, wants to set a new password for your account.\n\n${this.#way('reset-password', token)}\n\nThe code is good for one hour, once. Setting a password signs you out everywhere. If it wasn't you, do nothing: your password stays as it is.\n`;
    return { to, subject: 'A new password', text };
  }

  passwordChanged(to: string): Mail {
    return { to, subject: 'Your password was changed', text: 'The password of your account was changed. If it wasn\'t you, ask for a new password at once: that signs everybody else out.\n' };
  }

  #way(path: string, token: string): string {
    const link = this.publicUrl === null ? '' : `Follow this link:\n\n${new URL(`${path}?token=${token}`, `${this.publicUrl.replace(/\/+$/, '')}/`).toString()}\n\nOr give your app this code:`;
    return `${link || 'Give your app this code:'}\n\n${token}`;
  }
}
