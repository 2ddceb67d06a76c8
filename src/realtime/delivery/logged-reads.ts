import type { LoggedMessage } from '../../messages/log.reader.js';
import type { Read } from '../../messages/message.events.js';

/** What the senders of these messages of a chat read by sending: once for each of them, told to those who are still members. */
export function readsOf(logged: readonly LoggedMessage[], readByAllSeq: number, members: ReadonlySet<number>): Read[] {
  const reads = new Map<number, { newest: { id: number; seq: number }; chatId: number; authorIds: Set<number> }>();
  for (const { message, read } of logged) {
    if (!read) continue;
    const authorIds = reads.get(message.sender_id)?.authorIds ?? new Set();
    for (const authorId of read.author_ids) if (members.has(authorId)) authorIds.add(authorId);
    reads.set(message.sender_id, { newest: read, chatId: message.chat_id, authorIds });
  }
  return [...reads].map(
    ([
      reader_id,
      {
        newest: { id, seq },
        chatId,
        authorIds,
      },
    ]) => ({
      receipt: {
        type: 'read_receipt',
        message_id: id,
        chat_id: chatId,
        reader_id,
        is_read: seq <= readByAllSeq,
        seq,
      },
      userIds: [...authorIds, ...(members.has(reader_id) ? [reader_id] : [])],
    }),
  );
}
