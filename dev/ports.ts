import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** A TCP port that was free on 127.0.0.1 a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') {
    throw new Error('no TCP port is free');
  }
  return address.port;
}

/**
 * Whether something else has the port, on either loopback address: browsers try ::1 first for `localhost`, so a
 * stranger listening there would get our visitors.
 */
export async function portTaken(port: number): Promise<boolean> {
  const taken = await Promise.all([
    answers(port, '127.0.0.1'),
    answers(port, '::1'),
    refusesListening(port, '127.0.0.1'),
    refusesListening(port, '::1'),
  ]);
  return taken.includes(true);
}

async function answers(port: number, host: string): Promise<boolean> {
  const socket = connect({ port, host, timeout: 300 });
  try {
    return await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'timeout').then(() => false)]);
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function refusesListening(port: number, host: string): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ port, host, ipv6Only: true });
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return false;
  } catch (error) {
    // Anything else (no IPv6 on this machine) does not mean that the port is taken.
    return error instanceof Error && 'code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES');
  }
}
