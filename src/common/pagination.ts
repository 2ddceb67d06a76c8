import { QueryInteger } from './validation/fields.js';

/** Paging of lists: the query parameters, and a helper that reads all pages. */

/** Rows of a page, at the most. */
export const MAX_PAGE = 100;

/** The query parameter `limit`: how many rows a page has. */
export const LimitQuery = (byDefault: number): PropertyDecorator =>
  QueryInteger({
    description: 'How many, at the most.',
    min: 1,
    max: MAX_PAGE,
    default: byDefault,
    example: byDefault,
  });

/** The query parameter `offset`: how many rows to skip. */
export const OffsetQuery = (): PropertyDecorator =>
  QueryInteger({ description: 'How many to leave out.', min: 0, max: Number.MAX_SAFE_INTEGER, default: 0, example: 0 });

/** Yields ids one by one that `page` reads in pages, ascending and above `afterId`; an empty page ends it. */
export async function* eachOf(page: (afterId: number) => Promise<number[]>): AsyncGenerator<number> {
  let ids: number[];
  for (let afterId = 0; (ids = await page(afterId)).length > 0; afterId = ids.at(-1)!) yield* ids;
}
