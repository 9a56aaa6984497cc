/** An event as other services get it: CloudEvents 1.0, in its JSON format. */
export interface CloudEvent {
  readonly specversion: '1.0';
  /** The same each time that this event is delivered, and to whomever: consumers know a repeated one by it. */
  readonly id: string;
  /** The issuer. */
  readonly source: string;
  readonly type: string;
  /** The user it is about. Events of one user come in their order. */
  readonly subject: string;
  readonly time: string;
  /**
   * Extension `sequence` of CloudEvents: sorts as text, and later events of a user have a greater one. For what comes by
   * a way that keeps no order, or again. Of each sink its own.
   */
  readonly sequence: string;
  /**
   * Extension `distributed-tracing` of CloudEvents: the trace of the request that it happened in, however late it is
   * delivered. Missing where there was none.
   */
  readonly traceparent?: string;
  readonly tracestate?: string;
  readonly datacontenttype: 'application/json';
  /** Where the JSON schema of `data` is. */
  readonly dataschema: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** How long `Sink.publish` may take, in milliseconds: shorter than any claim on a row of the outbox. */
export const publishTimeout = 15_000;

/** The port to somebody who takes events. */
export interface Sink {
  /** As `config.eventSinks` names it: what is enqueued to it stands in the outbox under this name. */
  readonly name: string;
  /**
   * Hands one event over; resolves when it was taken for good. Settles within `publishTimeout`.
   * @throws {EventUndelivered} or anything else, where another try is worth it
   */
  publish(event: CloudEvent): Promise<void>;
  close(): Promise<void>;
}

/** This event was not taken, or nobody can tell whether it was. `code` says why and is safe to log. */
export class EventUndelivered extends Error {
  override readonly name = 'EventUndelivered';
  readonly code: string;

  constructor(code: string) {
    super(`The event was not taken: ${code}`);
    this.code = code;
  }
}
