export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/**
 * Fields of a log line. Never personal data, tokens or secrets: name what happened and where, by ids and codes.
 * For an error use `describeError`, which leaves its message out.
 */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

const order: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];

/** Writes JSON lines of `minimum` level and above. */
export function createLog(
  minimum: LogLevel,
  now: () => number,
  write: (line: string) => void = (line) => console.log(line),
): Log {
  const at =
    (level: Exclude<LogLevel, 'silent'>) =>
    (event: string, fields: LogFields = {}) => {
      if (order.indexOf(level) < order.indexOf(minimum)) return;
      write(JSON.stringify({ time: new Date(now()).toISOString(), level, event, ...fields }));
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/**
 * What may be logged of an error: its kinds and codes, and where it was thrown. Messages stay out, since drivers put
 * statements with their parameters into theirs.
 */
export function describeError(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: typeof error };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const cause = error.cause instanceof Error ? describeError(error.cause) : {};
  // The stack repeats the message, which may hold anything, before its frames.
  const frame = error.stack
    ?.replace(error.message, '')
    .split('\n')
    .find((line) => /^\s+at .+:\d+:\d+\)?$/.test(line))
    ?.trim();
  return {
    error: error.name,
    ...(code === undefined ? {} : { error_code: code }),
    ...(frame === undefined ? {} : { error_at: frame }),
    ...(cause['error'] === undefined ? {} : { cause: cause['error'] }),
    ...(cause['error_code'] === undefined ? {} : { cause_code: cause['error_code'] }),
  };
}
