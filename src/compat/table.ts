import type { PolicyName } from '../limits/policies.ts';

/** One path of an older API, and the operation that answers there: with its schema, limits, guard and handler. */
export interface Row {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** Parameters stand in braces, under the names that the operation has for them. */
  readonly path: string;
  /** The `operationId` of the operation. */
  readonly operation: string;
  /** Fields of the body: the old name, and ours. With both of these it is the email where it looks like one. */
  readonly fields?: Readonly<Record<string, string | readonly ['email', 'username']>>;
  /** Fields of the body that have to hold this value where they are there. */
  readonly fixed?: Readonly<Record<string, string>>;
  /** Takes a form as well as JSON. */
  readonly form?: true;
  /** The field that the bearer token stands for, where the body does not hold it. */
  readonly bearer?: string;
  /** Fields that the answer has besides: the name, and where in our answer it stands, the first place that is filled. */
  readonly adds?: Readonly<Record<string, readonly string[]>>;
}

/** The paths of an older API that are not ours as well. */
export interface Table {
  readonly rows: readonly Row[];
  /** Counted for each of its paths and each address. */
  readonly limit?: PolicyName;
}
