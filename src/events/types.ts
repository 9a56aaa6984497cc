/** Every type of event, as consumers read it. */
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
