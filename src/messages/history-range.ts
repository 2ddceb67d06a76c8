import { AppError } from '../common/errors/app-error.js';
import type { HistoryQuery } from './dto/message-input.dto.js';

/** The four ways to ask for a page. */
const MODES = ['offset', 'before_seq', 'after_seq', 'around_seq'] as const;

/**
 * Which messages a page of history has: the newest `limit` of those `from` … `to` by `seq`. Because `seq` has no holes,
 * each way to ask for a page comes to that, and a deep page costs no more than the first.
 * @throws AppError `validation_failed` when two ways are given
 */
export function historyRange(query: HistoryQuery): { from: number; to: number; limit: number } {
  const { limit, offset = 0, before_seq, after_seq, around_seq } = query;
  const given = MODES.filter((mode) => query[mode] !== undefined);
  if (given.length > 1) {
    throw AppError.invalid(given.map((field) => ({ field, message: `only one of ${MODES.join(', ')} can be given` })));
  }
  if (before_seq !== undefined) return { from: 1, to: before_seq - 1, limit };
  // At either end of the chat the page is shifted, not shortened.
  if (around_seq !== undefined) {
    return { from: 1, to: Math.max(around_seq - Math.floor(limit / 2) + limit - 1, limit), limit };
  }
  const from = (after_seq ?? offset) + 1;
  return { from, to: from + limit - 1, limit };
}
