import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Passwords and their hashes, made with the `crypt` of libxcrypt: not with what verifies them here. Hashing a thousand
 * would take minutes, so users share these; the salt is then shared too, which nothing here looks at.
 */
export const hashes = [
  { password: 'an old password of mine', hash: '$2a$10$jrXNVyft8BP857Q7xfiIvuTv4j8bBKLaYdpfH.YVo1bQ0yHHBLx1q' },
  { password: 'Grüße aus München 1', hash: '$2b$10$965AXtp/vr2jUg/PQ0qQ3uYXPUx9o7SvtW2Aa7.2M.CgDCZq0JbgK' },
  { password: 'P@ssw0rd!2019', hash: '$2y$10$h53D1GPd4sEyKbO/GMuHBueb5Nsb7Tims7tnV36GeV628EBsqYUqK' },
  { password: 'tr0ub4dor & 3 others', hash: '$2a$12$TauL2jQru4M9Jw2UEe/Vxuhgv4Cd/qwvb7IXBdrkx.zx2al0H1sfu' },
  { password: 'пароль на память', hash: '$2b$12$jgSvKXrofyQH5rCfgK0YSuQQ0YKR/HGStrAiQSpS0s0WCyYJTbdBu' },
  { password: 'twelve rounds too many', hash: '$2y$12$pudDHWA6QZWKK7X3AAgFeuwA09LvwgEkZUb2NqtVmCeBitaInPONC' },
] as const;

/** Cost 12 takes four times as long as cost 10: one user in 25 has it, and each prefix its share. */
export const hashOf = (n: number) => hashes[n % 25 === 0 ? 3 + ((n / 25) % 3) : n % 3] ?? hashes[0];

export interface OldService {
  readonly name: string;
  /** Its table, as its models or its `schema.sql` make it. */
  readonly table: string;
  /** The columns of the nth user, in order. */
  readonly row: (n: number, hash: string) => readonly unknown[];
  readonly identifier: (n: number) => string;
}

const createdAt = (n: number) => new Date(Date.UTC(2021, 0, 1) + n * 3_600_123).toISOString();
const uuid = (service: number, n: number) => `${service}0000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** Any name. */
const loginOf = (n: number) => [`Dan Müller ${n}!`, `dan${n}@three.example`, `dan-${n}`, `${n}@`][n % 4] ?? '';

export const services: readonly OldService[] = [
  {
    name: '000',
    table: `create table users (id serial primary key, email varchar(255) not null unique,
      hashed_password varchar(255) not null, is_active boolean not null default true, created_at timestamp not null)`,
    row: (n, hash) => [n, `Ann.${n}@zero.example`, hash, true, createdAt(n).slice(0, -1)],
    identifier: (n) => `ann.${n}@zero.example`,
  },
  {
    name: '001',
    table: `create table users (id uuid primary key, username varchar(80) not null unique,
      email_hash varchar(64) not null unique, phone_hash varchar(64), password_hash varchar(128) not null,
      name varchar(100), surname varchar(100), is_active boolean not null default true,
      is_verified boolean not null default false, created_at timestamp not null)`,
    row: (n, hash) => [
      ...[uuid(1, n), `Bob_${n}`, `hash-of-email-${n}`, null, hash],
      ...[`Bob "${n}"`, "O'Neill\\", true, true, createdAt(n).slice(0, -1)],
    ],
    identifier: (n) => `bob_${n}`,
  },
  {
    name: '002',
    table: `create type user_role as enum ('USER', 'ADMIN');
      create table users (id serial primary key, email varchar not null unique, hashed_password varchar not null,
      role user_role not null default 'USER', is_active boolean not null default true,
      created_at timestamptz not null)`,
    row: (n, hash) => [n, `cyd${n}@two.example`, hash, n === 1 ? 'ADMIN' : 'USER', true, createdAt(n)],
    identifier: (n) => `cyd${n}@two.example`,
  },
  {
    name: '003',
    table: `create table users (id bigserial primary key, login text not null unique, password text not null,
      created_at timestamp not null default now())`,
    row: (n, hash) => [n, loginOf(n), hash, createdAt(n).slice(0, -1)],
    identifier: loginOf,
  },
  {
    name: '004',
    table: `create table users (id uuid primary key, email varchar(320) not null unique, hashed_password text not null,
      roles text[] not null default '{user}', is_active boolean not null default true,
      is_verified boolean not null default false, created_at timestamptz not null)`,
    row: (n, hash) => [
      uuid(4, n),
      `eve+${n}@four.example`,
      hash,
      n === 1 ? ['admin'] : ['user'],
      true,
      true,
      createdAt(n),
    ],
    identifier: (n) => `eve+${n}@four.example`,
  },
];

const document = readFileSync(join(import.meta.dirname, '../../docs/moving-users.md'), 'utf8');

/** The statement that the document gives for a service. */
export function documentedSql(service: string): string {
  const [, sql] = new RegExp(`<!-- sql ${service} -->\n\`\`\`sql\n(.*?)\`\`\``, 's').exec(document) ?? [];
  if (sql === undefined) throw new Error(`docs/moving-users.md has no statement for ${service}`);
  return sql;
}
