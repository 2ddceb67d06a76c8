import { checkDense, checkStored, DeliveryCheck, type StoredMessage } from './exactness.js';

const CHAT = 7;

/** The problem when a socket after seq 10 has received these, and the chat is at `head`. */
function problemOf(heard: readonly number[], head: number, ordered = true): string | undefined {
  const check = new DeliveryCheck('socket 1', CHAT, 10, ordered);
  for (const seq of heard) check.receive(CHAT, seq);
  return check.problemAt(head);
}

describe('delivery check', () => {
  it('passes when every message arrives once, in order, up to the head', () => {
    expect(problemOf([11, 12, 13], 13)).toBeUndefined();
  });

  it('finds a duplicate', () => {
    expect(problemOf([11, 12, 12, 13], 13)).toBe('socket 1 heard 12 of chat 7 after 12 of chat 7');
  });

  it('finds a gap', () => {
    expect(problemOf([11, 13], 13)).toBe('socket 1 heard 13 of chat 7 after 11 of chat 7');
  });

  it('finds a wrong order', () => {
    expect(problemOf([12, 11], 12)).toBe('socket 1 heard 12 of chat 7 after 10 of chat 7');
  });

  it('finds a missing last message', () => {
    expect(problemOf([11, 12], 13)).toBe('socket 1 heard up to 12 of chat 7, which is at 13');
  });

  it('finds a message that was not acked', () => {
    expect(problemOf([11, 12], 11)).toBe('socket 1 heard up to 12 of chat 7, which is at 11');
  });

  it('finds a message of another chat', () => {
    const check = new DeliveryCheck('socket 1', CHAT, 10, true);
    check.receive(8, 11);
    expect(check.problemAt(10)).toBe('socket 1 heard 11 of chat 8 after 10 of chat 7');
  });

  it('is done when the head has arrived or can no longer arrive', () => {
    const check = new DeliveryCheck('socket 1', CHAT, 10, true);
    expect(check.isDone(11)).toBe(false);
    check.receive(CHAT, 11);
    expect(check.isDone(11)).toBe(true);
    check.receive(CHAT, 13);
    expect(check.isDone(14)).toBe(true);
  });

  describe('without a promised order', () => {
    it('counts the messages that arrive early', () => {
      const check = new DeliveryCheck('socket 1', CHAT, 10, false);
      for (const seq of [13, 12, 11, 14]) check.receive(CHAT, seq);
      expect(check.problemAt(14)).toBeUndefined();
      expect(check.outOfOrder).toBe(2);
    });

    it('still finds duplicates and missing messages', () => {
      expect(problemOf([12, 12, 11], 12, false)).toBe('socket 1 heard 12 of chat 7 after 10 of chat 7');
      expect(problemOf([11, 13], 13, false)).toBe('socket 1 heard up to 11 of chat 7, which is at 13');
    });
  });
});

const message = (key: string, seq: number, chatId = CHAT): StoredMessage => ({ chatId, key, seq });

describe('check of acked seqs', () => {
  it('passes when each chat has 1, 2, 3 …, in any order', () => {
    expect(checkDense([message('b', 2), message('a', 1), message('c', 1, 8)])).toEqual([]);
  });

  it('finds a gap and a duplicate', () => {
    expect(checkDense([message('a', 1), message('c', 3)])).toEqual(['chat 7: 3 is acked where 2 was due']);
    expect(checkDense([message('a', 1), message('b', 1)])).toEqual(['chat 7: 1 is acked where 2 was due']);
  });
});

describe('check of stored messages', () => {
  const acked = [message('a', 1), message('b', 2)];

  it('passes when exactly the acked messages are stored', () => {
    expect(checkStored(acked, acked.toReversed())).toEqual([]);
  });

  it('finds a missing message', () => {
    expect(checkStored(acked, [message('a', 1)])).toEqual(["b of chat 7 was acked and isn't stored"]);
  });

  it('finds a message that is stored twice or was not acked', () => {
    expect(checkStored(acked, [...acked, message('b', 3)])).toEqual(['b is stored twice, or was never acked']);
    expect(checkStored(acked, [...acked, message('c', 3)])).toEqual(['c is stored twice, or was never acked']);
  });

  it('finds a message with another seq or in another chat', () => {
    expect(checkStored(acked, [message('a', 1), message('b', 3)])).toEqual(['b was acked as 2 and is stored as 3']);
    expect(checkStored(acked, [message('a', 1), message('b', 2, 8)])).toEqual([
      'b is stored twice, or was never acked',
      "b of chat 7 was acked and isn't stored",
    ]);
  });

  it('finds two acks of one message', () => {
    expect(checkStored([...acked, message('b', 2)], acked)).toEqual(['1 messages were acked twice']);
  });
});
