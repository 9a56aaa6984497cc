import * as z from 'zod';

/** BCP 47 (RFC 5646), which recommends room for 35 characters, in its canonical form: `pt-br` is `pt-BR`. */
export const locale = z
  .string()
  .max(35, { abort: true })
  .transform((value, context) => {
    try {
      // POSIX writes de_DE.UTF-8.
      const [canonical] = Intl.getCanonicalLocales(value.replace(/[.@].*$/, '').replaceAll('_', '-'));
      if (canonical !== undefined) return canonical;
    } catch {
      // Says no more than that it is none.
    }
    context.addIssue({ code: 'custom', message: 'Enter a language tag such as en or pt-BR' });
    return z.NEVER;
  });
