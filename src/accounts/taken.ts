import { sqlState } from '../db/database.ts';
import { Problem } from '../errors.ts';

const uniqueViolation = '23505';
const takenFields: Readonly<Record<string, string>> = {
  users_email_index_key: 'email',
  users_username_key: 'username',
  users_username_skeleton_key: 'username',
};

export const taken = (path: string) =>
  new Problem('identifier_taken', { errors: [{ path, message: 'Already taken. Choose another one' }] });

/** Names the field, where a statement failed because another account has an identifier; else undefined. */
export function takenBy(error: unknown): Problem | undefined {
  const state = sqlState(error);
  return state?.code === uniqueViolation ? taken(takenFields[state.constraint ?? ''] ?? '') : undefined;
}

/** @throws {Problem} `identifier_taken` in place of the error that says so in the words of the database */
export function refuseTaken(error: unknown): never {
  throw takenBy(error) ?? error;
}
