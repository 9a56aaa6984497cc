import type { Socket } from 'node:net';

/** How long what a client still sends is taken from it after its answer: milliseconds and bytes. */
const patience = 5000;
const maximum = 64 * 1024 * 1024;

/**
 * Closes a connection on which the client may still be sending (RFC 9112 section 9.6). Closing it at once would make the
 * system reset it, and the client lose the answer: so our side ends, and the rest is read and dropped, within bounds.
 * @param last what is still to be written
 */
export function closeGently(socket: Socket, last = ''): void {
  if (socket.destroyed) return;
  // The parser gets no more: nothing that follows is a request.
  socket.removeAllListeners('data');
  let left = maximum;
  const timer = setTimeout(() => socket.destroy(), patience);
  socket.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) socket.destroy();
  });
  socket.once('end', () => socket.destroy());
  // A reset is an end like any other: the connection closes by itself.
  socket.on('error', () => undefined);
  socket.once('close', () => clearTimeout(timer));
  socket.end(last);
  socket.resume();
}

/**
 * Whether an answer comes before its request is over, as that to a body that is too large. Then the connection can carry
 * no further request: the answer has to say so, and it is closed as `closeGently` does.
 */
export function answersEarly({ complete, socket }: { readonly complete: boolean; readonly socket: Socket }): boolean {
  // The server closes a connection by this after an answer that says `Connection: close`.
  if (!complete) socket.destroySoon = () => closeGently(socket);
  return !complete;
}
