import type { AppendedRow } from './append.types.js';
import { createdBy, eventsOf } from './append-events.js';

const ADA = 1;
const BOB = 2;
const CYD = 3;

interface Sent {
  readonly by: number;
  readonly cursor?: number;
  readonly outcome?: AppendedRow['outcome'];
}

/** What was published, in short, for a batch in chat 7, which had 10 messages; `rest` is what its first row says besides. */
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
  const mark = { chat_id: 7, read_by_all_seq: readByAll, last_change_seq: 0, members_seq: 0 };
  const batch = { messages: rows, chats: new Map([[7, mark]]) };
  return eventsOf(createdBy(messages, batch), batch).flatMap((event) => [
    ...event.messages.map(({ seq }) => `created ${seq} to ${event.chat.memberIds!.join()}`),
    ...event.reads.map(
      ({ receipt, userIds }) =>
        `read ${receipt.seq} (${receipt.message_id}) by ${receipt.reader_id}, ${receipt.is_read} to ${userIds.join()}`,
    ),
  ]);
}

describe('the events of a batch', () => {
  it('are one for each message, to all members, when nobody had anything unread', () => {
    expect(summary([{ by: ADA }, { by: ADA }])).toEqual(['created 11 to 1,2,3', 'created 12 to 1,2,3']);
  });

  it('say once for each sender what they read by sending, also of the same batch', () => {
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

  it('tell those whose messages from before the batch are newly read, and nobody else', () => {
    const before = { last_message_id: 110, author_ids: [BOB, CYD], author_last_seqs: [10, 6] };
    expect(summary([{ by: ADA, cursor: 7 }], before)).toEqual([
      'created 11 to 1,2,3',
      'read 10 (110) by 1, false to 1,2',
    ]);
    expect(summary([{ by: ADA, cursor: 5 }], before)[1]).toBe('read 10 (110) by 1, false to 1,2,3');
  });

  it('leave out what created nothing', () => {
    expect(
      summary([
        { by: ADA, outcome: 'replayed' },
        { by: ADA, outcome: 'conflict' },
      ]),
    ).toEqual([]);
  });

  it('say that a message is read once everybody has read it', () => {
    expect(summary([{ by: ADA }, { by: BOB }], {}, 12)).toContain('read 11 (111) by 2, true to 2,1');
  });
});
