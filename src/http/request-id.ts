/** What a client may call its request: as UUIDs, ULIDs and trace ids are written. */
const readable = /^[\w.:=+/-]{1,128}$/;

/** What the client calls its request, for the log; undefined where it has no name or one that is not plain. */
export function clientRequestId(header: string | undefined): string | undefined {
  return header !== undefined && readable.test(header) ? header : undefined;
}
