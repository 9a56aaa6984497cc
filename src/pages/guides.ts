/** The pages of `docs/`, in the order in which lists show them. No other is served. */
export const guideNames = [
  'index',
  'quick-start',
  'from-a-browser',
  'verifying-tokens',
  'api',
  'administration',
  'configuration',
  'secrets',
  'deploy-workers',
  'self-hosting',
  'kubernetes',
  'backups',
  'observability',
  'troubleshooting',
  'events',
  'event-sinks',
  'moving-users',
  'moving',
  'security',
  'takeover',
  'architecture',
] as const;

export type GuideName = (typeof guideNames)[number];
