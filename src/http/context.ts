import type { Context } from 'hono';

/** What an entry point hands to each request. */
export interface Bindings {
  /** The client's address as the platform or a trusted proxy tells it; never one the client could make up. */
  readonly clientAddress: string | undefined;
  /** Whether this process is about to end, and should get no further requests. */
  readonly draining?: boolean;
}

export interface Env {
  Bindings: Bindings;
  Variables: {
    requestId: string;
    /** When the request was seen first, by the steady clock. */
    startedAt: number;
    /** Why exactly a request was refused: for the log, never for the client. */
    reason: string | undefined;
    /** The pattern of the endpoint that answered. */
    endpoint: string | undefined;
  };
}

export type RequestContext = Context<Env>;
