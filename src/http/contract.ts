import type * as z from 'zod';
import type { ProblemCode } from '../errors.ts';
import type { PolicyName } from '../limits/policies.ts';
import type { ContentSecurityPolicy } from './security-headers.ts';

export interface ResponseContract {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** Where it is no JSON. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What an endpoint shows to the outside: validation and the OpenAPI document both follow from it. */
export interface Contract {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** Parameters stand in braces, as in `/users/sessions/{id}`. */
  readonly path: string;
  /** Answers to every method and to all paths below, as proxies that ask on behalf of a request need it. */
  readonly anyRequest?: boolean;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  /** An access token: needed, or enough where there is another way. Or the operator's token for metrics. */
  readonly security?: 'bearer' | 'bearer-or-body' | 'metrics';
  /** Those it reads, besides the usual ones: name and what it is for. */
  readonly requestHeaders?: Readonly<Record<string, string>>;
  readonly responses: Readonly<Record<number, ResponseContract>>;
  readonly errors: readonly ProblemCode[];
  /** What it can count against: its `prepare` can name no other. */
  readonly limits?: readonly PolicyName[];
  /** Of a page: everything it may load and do. */
  readonly contentSecurityPolicy?: ContentSecurityPolicy;
  /** There for clients of older APIs alone. */
  readonly deprecated?: boolean;
}
