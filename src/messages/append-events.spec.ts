import type { AppendedRow } from './append.types.js';
import { createdBy, eventsOf } from './append-events.js';

const ADA = 1;
const BOB = 2;
const CYD = 3;

/** A message of the batch: its sender, the sender's cursor before the batch, and the outcome. */
interface Sent {
  readonly by: number;
  readonly cursor?: number;
  readonly outcome?: AppendedRow['outcome'];
}

/**
 * The events of a batch in chat 7, which had 10 messages before, as short texts. `rest` are fields of its first row,
 * and `readByAll` is the read mark after the batch.
 */
function summary(sent: readonly Sent[], rest: Partial<AppendedRow> = {}, readByAll = 0): string[] {
  const messages = sent.map(({ by }, index) => {
    return { chat_id: 7, sender_id: by, text: 'x', client_message_id: `k${index}`, reply_to_id: null };
  });
  const rows = sent.map(({ outcome = 'created', cursor = 10 }, index): AppendedRow => {
    const first = index === 0;
    return {
      outcome,
      chat_id: 7,
      id: 111 + index,
      seq: 11 + index,
      at_ms: 0,
      cursor_before: cursor,
      seq_before: 10,
      member_ids: first ? [ADA, BOB, CYD] : null,
      last_message_id: null,
      author_ids: null,
      idle_ms: 0,
      author_last_seqs: null,
      ...(first ? rest : {}),
    };
  });
  const chatState = { chat_id: 7, read_by_all_seq: readByAll, last_change_seq: 0, members_seq: 0 };
  const batch = { messages: rows, chats: new Map([[7, chatState]]) };
  return eventsOf(createdBy(messages, batch), batch).flatMap((event) => [
    ...event.messages.map(({ seq }) => `created ${seq} to ${event.chat.memberIds!.join()}`),
    ...event.reads.map(
      ({ receipt, userIds }) =>
        `read ${receipt.seq} (${receipt.message_id}) by ${receipt.reader_id}, ${receipt.is_read} to ${userIds.join()}`,
    ),
  ]);
}

describe('eventsOf', () => {
  it('has each message for all members, and no receipt when nobody had unread messages', () => {
    expect(summary([{ by: ADA }, { by: ADA }])).toEqual(['created 11 to 1,2,3', 'created 12 to 1,2,3']);
  });

  it('has one receipt for each sender who read by sending, also of messages in the same batch', () => {
    expect(summary([{ by: ADA }, { by: BOB }, { by: CYD }, { by: ADA }, { by: ADA }])).toEqual([
      'created 11 to 1,2,3',
      'created 12 to 1,2,3',
      'created 13 to 1,2,3',
      'created 14 to 1,2,3',
      'created 15 to 1,2,3',
      'read 13 (113) by 1, false to 1,2,3',
      'read 11 (111) by 2, false to 2,1',
      'read 12 (112) by 3, false to 3,1,2',
    ]);
  });

  it('sends a receipt to the authors whose older messages are newly read, and to nobody else', () => {
    const before = { last_message_id: 110, author_ids: [BOB, CYD], author_last_seqs: [10, 6] };
    expect(summary([{ by: ADA, cursor: 7 }], before)).toEqual([
      'created 11 to 1,2,3',
      'read 10 (110) by 1, false to 1,2',
    ]);
    expect(summary([{ by: ADA, cursor: 5 }], before)[1]).toBe('read 10 (110) by 1, false to 1,2,3');
  });

  it('has nothing for messages that were not created', () => {
    expect(
      summary([
        { by: ADA, outcome: 'replayed' },
        { by: ADA, outcome: 'conflict' },
      ]),
    ).toEqual([]);
  });

  it('has is_read true in a receipt when all members have read the message', () => {
    expect(summary([{ by: ADA }, { by: BOB }], {}, 12)).toContain('read 11 (111) by 2, true to 2,1');
  });
});
