/** So long a refresh may take until its answer, which is 503 then: seconds. */
export const longestAnswer = 5;
/** So long after it was sent the statement of a refresh still changes something: seconds. */
export const longestStatement = 4;
/** When a client is asked to try again: seconds. */
export const retryAfter = 2;
/** What the network and a busy process may add: seconds. */
const allowance = 3;

/**
 * The least grace window: seconds. A refresh whose answer is lost is answered 503 at last; the client waits as it is
 * told and tries again, and that may take as long. It must still find the window open, or it would pass for a thief.
 */
export const shortestGrace: number = longestAnswer + retryAfter + longestAnswer + allowance;
