import { MessageDto, type SentMessage } from '../chats/dto/message.dto.js';
import type { AppendedBatch, AppendedRow, ChatState } from './append.types.js';
import { ReadReceiptDto } from './dto/receipt.dto.js';
import { MessagesAppended, type Read } from './message.events.js';

/** The messages that a batch has created, in the order of the batch; undefined where none was created. */
export function createdBy(
  sent: readonly SentMessage[],
  { messages, chats }: AppendedBatch,
): (MessageDto | undefined)[] {
  return messages.map(({ outcome, chat_id, id, seq, at_ms }, index) => {
    if (outcome !== 'created') return undefined;
    const place = { id: id!, seq: seq!, timestamp: new Date(at_ms!) };
    return MessageDto.created(sent[index]!, place, chats.get(chat_id)!.read_by_all_seq);
  });
}

/**
 * The domain events of a committed batch: one for each chat that got a message. `LogWriter` publishes them. `created`
 * is the result of `createdBy` for the same batch.
 */
export function eventsOf(
  created: readonly (MessageDto | undefined)[],
  { messages, chats }: AppendedBatch,
): MessagesAppended[] {
  const batches = new Map<number, ChatBatch>();
  for (const [index, message] of created.entries()) {
    if (!message) continue;
    const row = messages[index]!;
    let batch = batches.get(row.chat_id);
    if (!batch) batches.set(row.chat_id, (batch = new ChatBatch(row, chats.get(row.chat_id)!)));
    batch.add(message, row.cursor_before);
  }
  return [...batches.values()].map((batch) => batch.event());
}

/** A sender of the batch in one chat: their cursor before the batch, and their first and last message in it. */
interface Sender {
  readonly cursor: number;
  readonly firstSeq: number;
  last: MessageDto;
}

/** The messages that a batch has created in one chat, and what their senders read by sending them. */
class ChatBatch {
  private readonly sent: MessageDto[] = [];
  private readonly senders = new Map<number, Sender>();

  /** `first`: the row of the first message created in the chat, which alone has the members and the authors. */
  constructor(
    private readonly first: AppendedRow,
    private readonly chat: ChatState,
  ) {}

  add(message: MessageDto, cursor: number): void {
    this.sent.push(message);
    const sender = this.senders.get(message.sender_id);
    if (sender) sender.last = message;
    else this.senders.set(message.sender_id, { cursor, firstSeq: message.seq, last: message });
  }

  event(): MessagesAppended {
    const { chat_id, last_change_seq, members_seq } = this.chat;
    const { member_ids, idle_ms } = this.first;
    const chat = { changeSeq: last_change_seq, membersSeq: members_seq, memberIds: member_ids, idleMs: idle_ms! };
    return new MessagesAppended(chat_id, this.sent, this.reads(), chat);
  }

  /**
   * Sending a message reads all messages before it. Each sender for whom one of them was unread gets one receipt,
   * however many messages they sent.
   */
  private reads(): Read[] {
    return [...this.senders].flatMap(([readerId, reader]) => {
      const newest = this.newestReadBy(readerId, reader);
      if (!newest) return [];
      const { chat_id, read_by_all_seq } = this.chat;
      const receipt = ReadReceiptDto.of(chat_id, readerId, newest, newest.seq <= read_by_all_seq);
      return [{ receipt, userIds: [readerId, ...this.authorsReadBy(readerId, reader)] }];
    });
  }

  /** The newest message that this sender newly reads: of somebody else in the batch, or else the last one before it. */
  private newestReadBy(readerId: number, { cursor, last }: Sender): { id: number; seq: number } | undefined {
    const { seq_before, last_message_id } = this.first;
    const ofBatch = this.sent.findLast(({ seq, sender_id }) => seq < last.seq && sender_id !== readerId);
    return ofBatch ?? (cursor < seq_before ? { id: last_message_id!, seq: seq_before } : undefined);
  }

  /** The authors of the messages that this sender newly reads, before the batch and in it. */
  private authorsReadBy(readerId: number, { cursor, last }: Sender): Set<number> {
    const { author_ids, author_last_seqs } = this.first;
    const before = (author_ids ?? []).filter((_, index) => author_last_seqs![index]! > cursor);
    const inBatch = [...this.senders].filter(([, { firstSeq }]) => firstSeq < last.seq).map(([senderId]) => senderId);
    const authors = new Set([...before, ...inBatch]);
    authors.delete(readerId);
    return authors;
  }
}
