/** The older APIs, as `COMPAT_APIS` names them. */
export const compatNames = ['auth-signup', 'flask', 'api-v1', 'premier', 'api-auth'] as const;
export type CompatName = (typeof compatNames)[number];
