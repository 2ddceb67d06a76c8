import { ReadReceiptDto } from '../../messages/dto/receipt.dto.js';
import type { LoggedMessage } from '../../messages/log.reader.js';
import type { Read } from '../../messages/message.events.js';

/** The newest message that somebody read by sending, and whose messages they read. */
interface SenderReads {
  readonly newest: { readonly id: number; readonly seq: number };
  readonly authorIds: Set<number>;
}

/**
 * What the senders of these messages, all of one chat, read by sending: one receipt for each sender, for those who are
 * still members.
 */
export function readsOf(
  chatId: number,
  logged: readonly LoggedMessage[],
  readByAllSeq: number,
  members: ReadonlySet<number>,
): Read[] {
  const bySender = new Map<number, SenderReads>();
  for (const { message, read } of logged) {
    if (!read) continue;
    const authorIds = bySender.get(message.sender_id)?.authorIds ?? new Set();
    for (const authorId of read.author_ids) if (members.has(authorId)) authorIds.add(authorId);
    bySender.set(message.sender_id, { newest: read, authorIds });
  }
  return [...bySender].map(([readerId, { newest, authorIds }]) => ({
    receipt: ReadReceiptDto.of(chatId, readerId, newest, newest.seq <= readByAllSeq),
    userIds: [...authorIds, ...(members.has(readerId) ? [readerId] : [])],
  }));
}
