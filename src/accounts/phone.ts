import * as z from 'zod';

/** More than anybody writes, with blanks and brackets. */
const longest = 40;

/**
 * A phone number in international form, as people write it, in E.164. A library knows which zero belongs to a number and
 * which is dialled at home alone: `+49 (0)30 123456` is +4930123456. It and its tables weigh as much as a fifth of the
 * Worker, so they are loaded with the first number.
 */
export const phoneNumber = z
  .string()
  .max(longest, { abort: true })
  .transform(async (value, context) => {
    const typed = value.normalize('NFKC').trim();
    if (/^\+[\d\s()./-]+$/.test(typed)) {
      const { parsePhoneNumberFromString } = await import('libphonenumber-js/min');
      const parsed = parsePhoneNumberFromString(typed, { extract: false });
      if (parsed?.isValid() === true) return `${parsed.number}`;
      // Plans of numbers change, and older services took any digits: what can be read in one way only is kept as it is.
      const digits = typed.replace(/[^\d+]/g, '');
      if (!/\(\s*0/.test(typed) && /^\+[1-9]\d{6,14}$/.test(digits)) return digits;
    }
    context.addIssue({ code: 'custom', message: 'Enter a number in international form, such as +14155550100' });
    return z.NEVER;
  });
