/** The configuration is unusable. The message names every wrong variable and never shows a value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Several variables are wrong: `NAME: the problem` for each. */
export class InvalidConfiguration extends ConfigError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`Invalid configuration. ${problems.join('. ')}`);
    this.problems = problems;
  }
}

/** What a reading of the configuration finds wrong. */
export function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
    return [];
  } catch (error) {
    return error instanceof InvalidConfiguration ? error.problems : [];
  }
}
