import pg from 'pg';
import * as z from 'zod';

/** How long the server may take to hear that a statement is to end: milliseconds. */
const patience = 1000;

const keys = z.object({ processID: z.number(), secretKey: z.number() });
/** What the types of the driver leave out: its connection, before it says who it is. */
const raw = z.object({
  connect: z.custom<(port: number, host: string) => void>((value) => typeof value === 'function'),
  requestSsl: z.custom<() => void>((value) => typeof value === 'function'),
  cancel: z.custom<(processID: number, secretKey: number) => void>((value) => typeof value === 'function'),
});

/**
 * Asks Postgres, or the pooler before it, to end what a connection has under way, with a request of the protocol over
 * a second connection. It needs no setting of the session, so it works through every pooler.
 * Resolves when the request was heard or cannot be made: a statement then runs to its end, unheard.
 */
export async function cancelStatement(client: pg.ClientBase & Pick<pg.Client, 'host' | 'port' | 'ssl'>): Promise<void> {
  const { data } = keys.safeParse(client);
  if (data === undefined) return;
  const connection = new pg.Connection({ ssl: client.ssl });
  const { connect, requestSsl, cancel } = raw.parse({
    connect: Reflect.get(connection, 'connect'),
    requestSsl: Reflect.get(connection, 'requestSsl'),
    cancel: Reflect.get(connection, 'cancel'),
  });
  const send = () => cancel.call(connection, data.processID, data.secretKey);
  const ended = new Promise<void>((resolve) => {
    // The server answers nothing: it closes the connection once the request is done.
    connection.once('end', resolve).on('error', () => resolve());
    setTimeout(resolve, patience).unref();
  });
  connection.once('connect', client.ssl ? () => requestSsl.call(connection) : send).once('sslconnect', send);
  connect.call(connection, client.port, client.host);
  await ended;
  connection.stream.destroy();
}
