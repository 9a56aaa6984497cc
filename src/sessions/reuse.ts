/** A session as it stands after a token was shown, and for how long: milliseconds, by the clock of the database. */
export interface Standing {
  readonly generation: number;
  /** Since its generation became the current one. */
  readonly current_for: number;
  /** Since the one before it did. */
  readonly previous_for: number;
}

/**
 * `good`: it was the current token, or is the one before it within the grace window.
 * `reused`: its successor was known, and used or older than the window, before the request that shows it began. Whoever
 * asks is not the one who got that successor.
 * `unclear`: the session went on while the request was under way. That happens to the honest, whose statement was held
 * up while the same client asked elsewhere, and proves nothing.
 * @param generation of the token
 * @param elapsed since the request began, until the answer of the database: milliseconds. Both sides are durations, so
 * no two clocks are compared.
 */
export function judge(
  generation: number,
  { generation: current, current_for, previous_for }: Standing,
  { grace, elapsed }: { readonly grace: number; readonly elapsed: number },
): 'good' | 'reused' | 'unclear' {
  const steps = current - generation;
  if (steps < 1 || (steps === 1 && current_for <= grace)) return 'good';
  // Since when its successor has been there, and since when that one has been used: at least.
  const succeededFor = steps === 1 ? current_for : previous_for;
  const usedFor = steps === 1 ? 0 : steps === 2 ? current_for : previous_for;
  return usedFor > elapsed || succeededFor > elapsed + grace ? 'reused' : 'unclear';
}
