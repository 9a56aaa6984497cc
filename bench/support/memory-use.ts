import { readFileSync } from 'node:fs';
import * as z from 'zod';

/** Both in MiB. */
export interface MemoryUse {
  readonly resident: number;
  /** What the collector left. */
  readonly heap: number;
}

interface Measured {
  readonly base: string;
  readonly inspector: string;
  readonly pid: number;
}

const mebibyte = 2 ** 20;
const targets = z.array(z.object({ webSocketDebuggerUrl: z.string() })).min(1);
const reply = z.object({ id: z.number(), result: z.object({ usedSize: z.number().optional() }).optional() });

/** The resident size of a process, in MiB. */
function residentSize(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}

/**
 * Asks the inspector of Node or workerd to collect garbage, and measures what is left.
 * `inspector` is its address, such as `http://127.0.0.1:9229`; `base` that of the service, since workerd collects when a
 * request comes.
 */
export async function measureMemory({ base, inspector, pid }: Measured): Promise<MemoryUse> {
  const listed = targets.parse(await (await fetch(`${inspector}/json`)).json());
  const address = listed.find(({ webSocketDebuggerUrl }) => !webSocketDebuggerUrl.endsWith('/timer')) ?? listed[0];
  const socket = new WebSocket(address?.webSocketDebuggerUrl ?? '');
  const opened = Promise.withResolvers<void>();
  const waiting = new Map<number, (usedSize: number | undefined) => void>();
  socket.addEventListener('open', () => opened.resolve());
  socket.addEventListener('error', () => opened.reject(new Error('The inspector does not answer')));
  socket.addEventListener('message', ({ data }) => {
    const { data: answered } = reply.safeParse(JSON.parse(String(data)));
    if (answered !== undefined) waiting.get(answered.id)?.(answered.result?.usedSize);
  });
  await opened.promise;
  let sent = 0;
  const call = (method: string) =>
    new Promise<number | undefined>((resolve) => {
      sent += 1;
      waiting.set(sent, resolve);
      socket.send(JSON.stringify({ id: sent, method }));
    });
  const nudge = setInterval(() => void fetch(`${base}/healthz`).then((response) => response.text()), 100);
  // What the first leaves to finalizers, the second takes.
  await call('HeapProfiler.collectGarbage');
  await call('HeapProfiler.collectGarbage');
  clearInterval(nudge);
  const heap = await call('Runtime.getHeapUsage');
  socket.close();
  if (heap === undefined) throw new Error('The inspector does not tell the size of the heap');
  return { resident: residentSize(pid), heap: heap / mebibyte };
}
