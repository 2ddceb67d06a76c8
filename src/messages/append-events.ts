import { MessageDto } from '../chats/dto/message.dto.js';
import type { Appended } from './append.js';
import { MessageCreated, MessagesRead } from './message.events.js';

/**
 * The domain events of a committed batch, each chat's in `seq` order. Sending reads all that came before: where that is
 * news, the senders of what it newly reads hear so, with the newest of those messages.
 */
export function eventsOf(results: readonly Appended[]): object[] {
  const events: object[] = [];
  const batches = new Map<number, ChatBatch>();
  for (const result of results) {
    if (result.outcome !== 'created') continue;
    let batch = batches.get(result.chat_id);
    if (!batch) batches.set(result.chat_id, (batch = new ChatBatch(result.member_ids ?? [])));
    events.push(new MessageCreated(MessageDto.of(result, result.read_by_all_seq), batch.memberIds));
    const read = batch.readBy(result);
    if (read) events.push(read);
    batch.sent.push(result);
  }
  return events;
}

/** What a batch has created in one chat so far. */
class ChatBatch {
  readonly sent: Appended[] = [];

  constructor(readonly memberIds: readonly number[]) {}

  /** The read that this message is, given what was sent before it; undefined when its sender had read it all. */
  readBy(message: Appended): MessagesRead | undefined {
    const own = this.sent.findLast(({ sender_id }) => sender_id === message.sender_id);
    const cursor = own?.seq ?? message.cursor_before;
    if (cursor >= message.seq - 1) return undefined;
    const unread = this.sent.slice(Math.max(0, cursor - message.seq_before));
    const senderIds = new Set([...(message.unread_senders ?? []), ...unread.map(({ sender_id }) => sender_id)]);
    const newest = this.sent.at(-1);
    return new MessagesRead(
      {
        type: 'read_receipt',
        message_id: newest?.id ?? message.last_message_id!,
        chat_id: message.chat_id,
        reader_id: message.sender_id,
        is_read: message.seq - 1 <= message.read_by_all_seq,
        seq: message.seq - 1,
      },
      [message.sender_id, ...senderIds],
    );
  }
}
