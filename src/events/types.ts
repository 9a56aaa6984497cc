/** The types of events, as other services know them. What each carries stands in `catalogue.ts`. */
export const eventTypes = [
  'UserCreated',
  'UserVerified',
  'UserUpdated',
  'UserDeleted',
  'PasswordChanged',
  'EmailChanged',
  'SessionStarted',
  'SessionRevoked',
  'RefreshTokenReused',
  'AccountLocked',
  'RoleChanged',
] as const;

export type EventType = (typeof eventTypes)[number];

export const isEventType = (text: string): text is EventType => eventTypes.some((type) => type === text);
