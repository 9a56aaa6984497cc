import type { Argon2 } from './argon2.ts';

/** What a hash asks of the place where it is computed. */
export interface Work {
  /** What it takes a core, roughly: milliseconds. */
  readonly cost: number;
  /** Takes so much memory that one at a time is enough. */
  readonly isLarge?: boolean;
  /** Follows work that was admitted for the same request. */
  readonly isContinuation?: boolean;
  /** Of the request: once aborted, work that has not begun does not begin, and rejects with `NobodyWaits`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs work when it is its turn. One for each process, whatever the work is.
 * @throws {Overloaded} where too much is to be done already
 */
export type Semaphore = <Result>(run: () => Promise<Result>, work: Work) => Promise<Result>;

export interface ScryptInput {
  readonly password: string;
  readonly salt: Uint8Array;
  /** N */
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
  readonly length: number;
}

export type Digest = 'sha1' | 'sha256' | 'sha512';

export interface Pbkdf2Input {
  readonly digest: Digest;
  readonly password: string;
  readonly salt: Uint8Array;
  readonly iterations: number;
  /** At most what the digest gives: further blocks would say nothing more of the password. */
  readonly length: number;
}

/** The most that a runtime verifies of what other systems have hashed. */
export interface HashLimits {
  /** As people call it. */
  readonly runtime: 'Node' | 'Workers';
  readonly bcryptCost: number;
  /** KiB */
  readonly argon2Memory: number;
  /** N * r * p */
  readonly scryptWork: number;
  readonly pbkdf2Iterations: Readonly<Record<Digest, number>>;
}

/** The functions of passwords: an adapter for each runtime, the same answers from both. */
export interface Hashing {
  readonly argon2: Argon2;
  /** Says whether a `$2b$` string is of this password, by its first 72 bytes. */
  readonly bcrypt: (password: string, encoded: string) => Promise<boolean>;
  readonly scrypt: (input: ScryptInput) => Promise<Uint8Array>;
  readonly pbkdf2: (input: Pbkdf2Input) => Promise<Uint8Array>;
  /** phpass: MD5 over salt and password, then `rounds` times over the digest and the password. */
  readonly phpass: (password: string, salt: string, rounds: number) => Promise<Uint8Array>;
  readonly limits: HashLimits;
  readonly admit: Semaphore;
}

/** What the service on Node verifies: about a second of a core at most, and 128 MiB. */
export const nodeLimits: HashLimits = {
  runtime: 'Node',
  bcryptCost: 14,
  argon2Memory: 131_072,
  scryptWork: 2 ** 20,
  pbkdf2Iterations: { sha1: 3_000_000, sha256: 2_000_000, sha512: 1_000_000 },
};

/**
 * What an isolate verifies, which has 128 MiB and computes on the thread that serves: PBKDF2 at what OWASP asks for, in
 * JavaScript, since the platform's own ends at 100,000 iterations.
 */
export const workersLimits: HashLimits = {
  runtime: 'Workers',
  bcryptCost: 14,
  argon2Memory: 65_536,
  scryptWork: 2 ** 20,
  pbkdf2Iterations: { sha1: 1_300_000, sha256: 600_000, sha512: 210_000 },
};

/** What an import takes for Workers: less than what is verified, since each such sign-in stalls an isolate. */
export const workersImportLimits: HashLimits = { ...workersLimits, bcryptCost: 12 };
