import { AppError } from '../common/errors/app-error.js';
import type { HistoryQuery } from './dto/message-input.dto.js';

/** The four ways to ask for a page. */
const MODES = ['offset', 'before_seq', 'after_seq', 'around_seq'] as const;

/**
 * The `seq`s of a page of history, `from` … `to` inclusive; the page is empty if `from > to`. `lastSeq` is that of the
 * chat. Because `seq` has no holes, each way to ask for a page comes to a range of it, and a deep page costs no more
 * than the first.
 * @throws AppError `validation_failed` when two ways are given
 */
export function historyRange(query: HistoryQuery, lastSeq: number): { from: number; to: number } {
  const { limit, offset = 0, before_seq, after_seq, around_seq } = query;
  const given = MODES.filter((mode) => query[mode] !== undefined);
  if (given.length > 1) {
    throw AppError.invalid(given.map((field) => ({ field, message: `only one of ${MODES.join(', ')} can be given` })));
  }
  if (before_seq !== undefined) {
    const to = Math.min(before_seq - 1, lastSeq);
    return { from: Math.max(1, to - limit + 1), to };
  }
  if (around_seq !== undefined) {
    const from = Math.max(1, Math.min(around_seq - Math.floor(limit / 2), lastSeq - limit + 1));
    return { from, to: Math.min(from + limit - 1, lastSeq) };
  }
  const from = (after_seq ?? offset) + 1;
  return { from, to: Math.min(from + limit - 1, lastSeq) };
}
