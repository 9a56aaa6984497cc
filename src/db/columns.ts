import { timestamp } from 'drizzle-orm/pg-core';

/** A time to the millisecond, as JavaScript tells it. */
export const time = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });
