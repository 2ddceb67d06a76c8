import { type MessageDto } from '../chats/dto/message.dto.js';
import type { Appended, AppendedBatch, NewMessage } from './append.js';
import { MessageCreated, MessagesRead } from './message.events.js';

/** What a batch has created, each in its place; undefined where it has created nothing. */
export function createdBy(
  sent: readonly NewMessage[],
  { messages, readByAll }: AppendedBatch,
): (MessageDto | undefined)[] {
  return messages.map(({ outcome, chat_id, id, seq, at_ms }, index) => {
    if (outcome !== 'created') return undefined;
    const { senderId, text, clientMessageId, replyToId } = sent[index]!;
    return {
      id: id!,
      chat_id,
      sender_id: senderId,
      text,
      timestamp: new Date(at_ms!).toISOString(),
      is_read: seq! <= readByAll.get(chat_id)!,
      client_message_id: clientMessageId,
      seq: seq!,
      change_seq: null,
      reply_to_id: replyToId ?? null,
      edited_at: null,
      deleted_at: null,
    };
  });
}

/** The domain events of a committed batch: its messages, each chat's in `seq` order, and then what their senders read by sending. */
export function eventsOf(
  created: readonly (MessageDto | undefined)[],
  { messages, readByAll }: AppendedBatch,
): object[] {
  const chats = new Map<number, ChatBatch>();
  const events: object[] = [];
  for (const [index, message] of created.entries()) {
    if (!message) continue;
    const row = messages[index]!;
    let chat = chats.get(row.chat_id);
    if (!chat) chats.set(row.chat_id, (chat = new ChatBatch(row)));
    chat.add(message, row.cursor_before);
    events.push(new MessageCreated(message, chat.memberIds));
  }
  for (const [chatId, chat] of chats) events.push(...chat.reads(readByAll.get(chatId)!));
  return events;
}

/** Who has sent something in a batch: where their cursor was, and their first and last message in it. */
interface Sender {
  readonly cursor: number;
  readonly firstSeq: number;
  last: MessageDto;
}

/** What a batch has created in one chat. */
class ChatBatch {
  readonly memberIds: readonly number[];
  private readonly sent: MessageDto[] = [];
  private readonly senders = new Map<number, Sender>();

  /** `first`: the row of the first message created in the chat. */
  constructor(private readonly first: Appended) {
    this.memberIds = first.member_ids!;
  }

  add(message: MessageDto, cursor: number): void {
    this.sent.push(message);
    const sender = this.senders.get(message.sender_id);
    if (sender) sender.last = message;
    else this.senders.set(message.sender_id, { cursor, firstSeq: message.seq, last: message });
  }

  /** Sending reads all that came before: one receipt for each sender for whom that was news, however much they sent. */
  reads(readByAllSeq: number): MessagesRead[] {
    return [...this.senders].flatMap(([readerId, reader]) => {
      const newest = this.newestReadBy(readerId, reader);
      if (!newest) return [];
      const receipt = {
        type: 'read_receipt' as const,
        message_id: newest.id,
        chat_id: this.first.chat_id,
        reader_id: readerId,
        is_read: newest.seq <= readByAllSeq,
        seq: newest.seq,
      };
      return [new MessagesRead(receipt, [readerId, ...this.authorsReadBy(readerId, reader)])];
    });
  }

  /** The newest message of somebody else that this sender newly reads: of the batch, or else the last one before it. */
  private newestReadBy(readerId: number, { cursor, last }: Sender): { id: number; seq: number } | undefined {
    const { seq_before, last_message_id } = this.first;
    const ofBatch = this.sent.findLast(({ seq, sender_id }) => seq < last.seq && sender_id !== readerId);
    return ofBatch ?? (cursor < seq_before ? { id: last_message_id!, seq: seq_before } : undefined);
  }

  private authorsReadBy(readerId: number, { cursor, last }: Sender): Set<number> {
    const { author_ids, authored_seqs } = this.first;
    const before = (author_ids ?? []).filter((_, index) => authored_seqs![index]! > cursor);
    const inBatch = [...this.senders].filter(([, { firstSeq }]) => firstSeq < last.seq).map(([senderId]) => senderId);
    const authors = new Set([...before, ...inBatch]);
    authors.delete(readerId);
    return authors;
  }
}
