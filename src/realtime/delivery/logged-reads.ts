import { ReadReceiptDto } from '../../messages/dto/receipt.dto.js';
import type { LoggedMessage } from '../../messages/log.reader.js';
import type { Read } from '../../messages/message.events.js';

/** What one sender has read by sending: the newest message of it, and the authors of all of it. */
interface SenderReads {
  readonly newest: { readonly id: number; readonly seq: number };
  readonly authorIds: Set<number>;
}

/**
 * What the senders of these messages, all of one chat, read by sending them: one receipt for each sender. It goes to
 * the sender and to the authors, if they are still members. `UnpublishedChatsPublisher` calls it for messages from the
 * log; `src/messages/append-events.ts` does the same for a batch that this node appended.
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
