import { type Problem, problems } from '../errors.ts';

/** What every problem says about how it may be kept and shown. */
export const problemHeaders = { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' } as const;

/** The body of a problem, as RFC 9457 has it. */
export function problemBody({ code, details }: Problem, requestId: string): string {
  const { status, title, detail } = problems[code];
  return JSON.stringify({
    type: 'about:blank',
    title,
    status,
    // Clients of FastAPI services show it, and look for no title.
    detail: details.detail ?? detail,
    code,
    request_id: requestId,
    ...(details.errors === undefined ? {} : { errors: details.errors }),
  });
}
