import * as z from 'zod';

/** A list by cursor, newest first: rows that are added meanwhile stand before the first page and shift nothing. */
export const pageQuery = z.object({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(100)
    .default(20)
    .describe('Maximum number of items')
    .meta({ examples: [50] }),
  cursor: z.uuid().optional().describe('The `next_cursor` of the previous page'),
});

/** The shape of one page of a list. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z
    .object({ items: z.array(item), next_cursor: z.string().nullable().describe('Null on the last page') })
    .meta({ examples: [{ items: item.meta()?.examples ?? [], next_cursor: null }] });

/**
 * Makes a page of rows that were read newest first.
 * @param rows one more than `limit` where there are that many: it tells that another page follows
 */
export function toPage<Row extends { readonly id: string }, Item>(
  rows: readonly Row[],
  limit: number,
  toItem: (row: Row) => Item,
): { items: Item[]; next_cursor: string | null } {
  const shown = rows.slice(0, limit);
  return { items: shown.map(toItem), next_cursor: rows.length > limit ? (shown.at(-1)?.id ?? null) : null };
}
