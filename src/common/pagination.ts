import { QueryInteger } from './validation/fields.js';

export const MAX_PAGE = 100;

/** `?limit=`: how many rows of a page. */
export const LimitQuery = (byDefault: number): PropertyDecorator =>
  QueryInteger({
    description: 'How many, at the most.',
    min: 1,
    max: MAX_PAGE,
    default: byDefault,
    example: byDefault,
  });

/** `?offset=`: how many rows to leave out. */
export const OffsetQuery = (): PropertyDecorator =>
  QueryInteger({ description: 'How many to leave out.', min: 0, max: Number.MAX_SAFE_INTEGER, default: 0, example: 0 });

/** Ids that come in pages by id, one by one. */
export async function* eachOf(page: (afterId: number) => Promise<number[]>): AsyncGenerator<number> {
  let ids: number[];
  for (let afterId = 0; (ids = await page(afterId)).length > 0; afterId = ids.at(-1)!) yield* ids;
}
