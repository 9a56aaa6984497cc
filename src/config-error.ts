/** The configuration is unusable. The message names every wrong variable and never shows a value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Variables are wrong: `NAME: the problem` for each, on a line of its own where there are several. */
export class InvalidConfiguration extends ConfigError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      problems.length === 1
        ? `Invalid configuration. ${problems[0]}`
        : `Invalid configuration:${problems.map((each) => `\n  ${each}`).join('')}`,
    );
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
