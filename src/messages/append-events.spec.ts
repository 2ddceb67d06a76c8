import type { Appended } from './append.js';
import { eventsOf } from './append-events.js';
import { MessageCreated, type MessagesRead } from './message.events.js';

const ADA = 1;
const BOB = 2;
const CYD = 3;

/** A message created at `seq` of chat 7, where the batch started after `seq` 10. */
function created(seq: number, senderId: number, rest: Partial<Appended> = {}): Appended {
  return {
    outcome: 'created',
    id: 100 + seq,
    chat_id: 7,
    sender_id: senderId,
    text: 'x',
    timestamp: new Date(0),
    client_message_id: `k${seq}`,
    seq,
    change_seq: null,
    reply_to_id: null,
    edited_at: null,
    deleted_at: null,
    read_by_all_seq: 0,
    member_ids: seq === 11 ? [ADA, BOB, CYD] : null,
    cursor_before: 10,
    seq_before: 10,
    last_message_id: null,
    unread_senders: null,
    ...rest,
  };
}

/** What was published, in short. */
const summary = (results: Appended[]) =>
  eventsOf(results).map((event) => {
    if (event instanceof MessageCreated) return `created ${event.message.seq} to ${event.userIds.join()}`;
    const { receipt, userIds } = event as MessagesRead;
    return `read ${receipt.seq} (${receipt.message_id}) by ${receipt.reader_id}, ${receipt.is_read} to ${userIds.join()}`;
  });

describe('the events of a batch', () => {
  it('are one for each message, to all members, when nobody had anything unread', () => {
    expect(summary([created(11, ADA), created(12, ADA)])).toEqual(['created 11 to 1,2,3', 'created 12 to 1,2,3']);
  });

  it('say what a sending reads, also of the same batch, and each time only what is news', () => {
    expect(summary([created(11, ADA), created(12, BOB), created(13, CYD), created(14, ADA)])).toEqual([
      'created 11 to 1,2,3',
      'created 12 to 1,2,3',
      'read 11 (111) by 2, false to 2,1',
      'created 13 to 1,2,3',
      'read 12 (112) by 3, false to 3,1,2',
      'created 14 to 1,2,3',
      'read 13 (113) by 1, false to 1,2,3',
    ]);
  });

  it('count what was unread before the batch once', () => {
    const late = { cursor_before: 4, last_message_id: 110, unread_senders: [BOB, CYD] };
    expect(summary([created(11, ADA, late), created(12, ADA, { cursor_before: 4 })])).toEqual([
      'created 11 to 1,2,3',
      'read 10 (110) by 1, false to 1,2,3',
      'created 12 to 1,2,3',
    ]);
  });

  it('leave out what created nothing', () => {
    expect(summary([created(11, ADA, { outcome: 'replayed' }), created(11, ADA, { outcome: 'conflict' })])).toEqual([]);
  });

  it('say that a message is read once the smallest cursor has passed it', () => {
    expect(summary([created(11, ADA, { read_by_all_seq: 12 }), created(12, BOB, { read_by_all_seq: 12 })])).toContain(
      'read 11 (111) by 2, true to 2,1',
    );
  });
});
