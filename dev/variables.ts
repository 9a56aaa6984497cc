/**
 * Writes variables in the dotenv form that wrangler reads, so that each value arrives as it is.
 * @throws for a value that form cannot carry; the message names the variable, never its value
 */
export function formatVariables(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => {
      const quote = ["'", '`', '"'].find((candidate) => !value.includes(candidate));
      if (quote === undefined || /[\\\r\n]/.test(value)) {
        throw new Error(
          `${name}: a backslash, a line break or all three kinds of quotes cannot be passed to the Worker`,
        );
      }
      // wrangler would replace what follows a dollar sign.
      return `${name}=${quote}${value.replaceAll('$', '\\$')}${quote}\n`;
    })
    .join('');
}
