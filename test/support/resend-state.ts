import * as z from 'zod';

/** How a server runs until it is stopped. */
export const resendRun = z.object({
  /** Ends it the moment it has taken so many mails in this run, before it answers the last. */
  stopAfter: z.int().optional(),
  /** Cuts the connection instead of answering every so manieth mail, which it has taken. */
  loseEvery: z.int().optional(),
  /** What it answers at once to the next requests, taking nothing. */
  answers: z
    .array(z.object({ status: z.int(), body: z.string(), headers: z.record(z.string(), z.string()).default({}) }))
    .optional(),
});
export type ResendRun = z.input<typeof resendRun>;

export const resendState = z.object({
  /** Each mail that went out, by its key. */
  taken: z.array(z.object({ key: z.string(), to: z.string(), subject: z.string() })),
  /** Requests that named a key which had been taken. */
  repeated: z.array(z.string()),
  requests: z.int(),
});
