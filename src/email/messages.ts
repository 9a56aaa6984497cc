import * as z from 'zod';

/** Where the page that a link leads to leads on to, where that was asked for. */
const onward = { redirect_to: z.string().optional() };
/** What a link and a code stand for: `token` in the link, `code` to type on another device. */
const proof = { token: z.string(), code: z.string(), ...onward };
/** When something happened (milliseconds since the epoch) and from where, as people may recognise it. */
const event = { at: z.number(), address: z.string().nullable(), device: z.string().nullable() };

/** Every message there is, and what each tells. Its words stand in `locales/`, one file for each language. */
export const messages = {
  /** To the address of an account: it verifies the address, and nothing else of the account changes. */
  verify_email: z.object({ ...proof, ...event }),
  /** The same for an account that an admin made, with a password of the admin's choice. */
  confirm_created_account: z.object({ ...proof, ...event }),
  /** Makes the account of a registration, with the password that was typed then. */
  confirm_registration: z.object({ ...proof, ...event }),
  /** Makes it with a password that is chosen now. */
  finish_registration: z.object({ ...proof, ...event }),
  /** Somebody typed the address of an account that never verified it: a password that is chosen now takes it over. */
  unconfirmed_account: z.object({ ...proof, ...event }),
  already_registered: z.object(event),
  reset_password: z.object({ ...proof, ...event }),
  /** An admin has asked for it: of a new account, or of one whose password is gone. */
  choose_password: z.object({ ...proof, ...event }),
  password_changed: z.object(event),
  confirm_email_change: z.object({ ...proof, ...event }),
  /** To the old address; `email` is the new one, masked. */
  email_changed: z.object({ token: z.string(), email: z.string(), ...event }),
  new_sign_in: z.object(event),
  account_locked: z.object(event),
  account_deleted: z.object(event),
  /** By an admin. */
  account_removed: z.object(event),
} as const;

export type MessageType = keyof typeof messages;
export type MessageOf<Type extends MessageType> = z.output<(typeof messages)[Type]>;

/** One message: its type and what it tells. */
export type Message = { [Type in MessageType]: { readonly type: Type; readonly data: MessageOf<Type> } }[MessageType];

export const isMessageType = (type: string): type is MessageType => Object.hasOwn(messages, type);
