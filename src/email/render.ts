import type { Config } from '../config.ts';
import type { Mail } from '../mailer.ts';
import type { MessageOf, MessageType } from './messages.ts';

/** A message as it is sent. */
export function renderMail<Type extends MessageType>(
  _config: Pick<Config, 'issuer' | 'serviceName'>,
  _locale: string,
  type: Type,
  data: MessageOf<Type>,
): Omit<Mail, 'to'> {
  return { subject: type, text: JSON.stringify(data), html: '' };
}
