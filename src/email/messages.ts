import * as z from 'zod';

/** What a link and a code stand for: `token` in the link, `code` to type on another device. */
const proof = { token: z.string(), code: z.string() };
/** When something happened (milliseconds since the epoch) and from where, as people may recognise it. */
const event = { at: z.number(), address: z.string().nullable(), device: z.string().nullable() };

/** Every message there is, and what each tells. Its words stand in `locales/`, one file for each language. */
export const messages = {
  verify_email: z.object({ ...proof, ...event }),
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
