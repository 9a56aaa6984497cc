import type { MessageType } from './messages.ts';

/** What the words of a mail may name. As plain text: it is escaped where it stands in HTML. */
export interface Facts {
  readonly service: string;
  /** The new address of an account, masked. Empty but in `email_changed`. */
  readonly email: string;
  /** The address of the page where a new password can be asked for. It is a link in HTML. */
  readonly resetPage: string;
}

export interface MailWords {
  readonly subject: string;
  readonly heading: string;
  /** What happened, or what is asked for; stands before the button. */
  readonly body: readonly string[];
  /** On the button, where the mail has a link. */
  readonly button?: string;
  /** What to do if it was not you; stands at the end. */
  readonly otherwise: string;
}

/** What a page with a button says. */
export interface PageTexts {
  readonly title: string;
  readonly intro: string;
  readonly button: string;
  /** The heading once it is done, and what it says then. */
  readonly doneTitle: string;
  readonly done: string;
}

/** What a page says that a link of a mail leads to. */
export interface LinkPageWords extends PageTexts {
  /** Where the link does not work, or no longer. */
  readonly expired: string;
}

export interface PageWords {
  readonly verify_email: LinkPageWords;
  readonly confirm_registration: LinkPageWords;
  readonly reset_password: LinkPageWords;
  readonly choose_password: LinkPageWords;
  readonly confirm_email_change: LinkPageWords;
  readonly undo_email_change: LinkPageWords;
  readonly resend_verification: PageTexts;
  readonly forgot_password: PageTexts;
  /** To open the part for the code of the mail, and its fields. */
  readonly useCode: string;
  /** Where the code is wrong: the form stays. */
  readonly wrongCode: string;
  /** On the link to another mail. */
  readonly newEmail: string;
  readonly showPassword: string;
  readonly email: string;
  readonly code: string;
  readonly newPassword: string;
  readonly passwordHint: (min: number) => string;
  /** On the button that leads on to the application. */
  readonly onward: (service: string) => string;
  /** On the same button where nothing was done, or where the rest happens in a mail. */
  readonly back: (service: string) => string;
  /** Where there is no address of the application to lead on to. */
  readonly close: string;
  readonly alreadyVerified: string;
  /** Headings of pages where nothing was done. */
  readonly expiredTitle: string;
  readonly takenTitle: string;
  /** What went wrong. */
  readonly identifier_taken: string;
  readonly rate_limited: string;
  readonly weakPassword: string;
  readonly missingProof: string;
  readonly notAnAddress: string;
  readonly failed: string;
}

/** All words of one language. */
export interface Words {
  readonly pages: PageWords;
  readonly mails: { readonly [Type in MessageType]: (facts: Facts) => MailWords };
  /** What most mails have in common. */
  readonly parts: {
    /** Before the address that the button leads to. */
    readonly link: string;
    /** How long that is good. */
    readonly lasts: (hours: number) => string;
    /** Before the code. @param page where it is entered; undefined where that is a page of the application's own */
    readonly code: (minutes: number, page: string | undefined) => string;
    readonly when: string;
    readonly where: string;
    readonly device: string;
    /** Who sent it, and that nobody reads an answer. */
    readonly footer: (service: string) => string;
  };
}
