/** Lines of wrangler that tell a developer of this project nothing, and where a longer passage of that kind ends. */
const chatter: readonly { readonly first: RegExp; readonly last?: RegExp }[] = [
  { first: /^\s*$/ },
  { first: /^Using secrets defined in / },
  { first: /^Your Worker has access to the following bindings:/, last: /^\s*$/ },
  { first: /^\[custom build\] Running: / },
  { first: /Starting local server\.\.\./ },
  // It tells how to start them by hand; `schedule.ts` does.
  { first: /Scheduled Workers are not automatically triggered/, last: /For more details, see/ },
  { first: /^\[wrangler:info\] Ready on / },
  // The application logs its requests itself.
  { first: /^\[wrangler:info\] [A-Z]+ \/\S* \d{3} / },
];

/**
 * Sorts wrangler's chatter from what matters: errors, rebuilds and the Worker's own log.
 * @returns a function that says of each line (in order, without colours) whether to show it
 */
export function outputFilter(): (line: string) => boolean {
  let until: RegExp | undefined;
  return (line) => {
    if (until !== undefined) {
      if (until.test(line)) {
        until = undefined;
      }
      return false;
    }
    const found = chatter.find(({ first }) => first.test(line));
    until = found?.last;
    return found === undefined;
  };
}
