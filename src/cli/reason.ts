/** What Postgres or the network said: never a statement, whose parameters are nobody's to read. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error.cause instanceof Error) return reason(error.cause);
  if (error.message.startsWith('Failed query')) return 'a statement failed';
  // A host with several addresses says nothing but a code.
  return error.message === '' && 'code' in error ? String(error.code) : error.message;
}
