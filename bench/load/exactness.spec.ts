import { describe, expect, it } from '@jest/globals';
import { checkDense, checkStored, DeliveryCheck, type StoredMessage } from './exactness.js';

const CHAT = 7;

/** What is wrong when a socket that was at 10 has heard these, and the chat is at `head`. */
function problemOf(heard: readonly number[], head: number, ordered = true): string | undefined {
  const check = new DeliveryCheck('socket 1', CHAT, 10, ordered);
  for (const seq of heard) check.heard(CHAT, seq);
  return check.problemAt(head);
}

describe('what a socket has heard', () => {
  it('passes when each came once, in order, up to the head', () => {
    expect(problemOf([11, 12, 13], 13)).toBeUndefined();
  });

  it('finds a message that came twice', () => {
    expect(problemOf([11, 12, 12, 13], 13)).toBe('socket 1 heard 12 of chat 7 after 12 of chat 7');
  });

  it('finds a gap', () => {
    expect(problemOf([11, 13], 13)).toBe('socket 1 heard 13 of chat 7 after 11 of chat 7');
  });

  it('finds two in the wrong order', () => {
    expect(problemOf([12, 11], 12)).toBe('socket 1 heard 12 of chat 7 after 10 of chat 7');
  });

  it('finds a last message that never came', () => {
    expect(problemOf([11, 12], 13)).toBe('socket 1 heard up to 12 of chat 7, which is at 13');
  });

  it('finds more than was acked', () => {
    expect(problemOf([11, 12], 11)).toBe('socket 1 heard up to 12 of chat 7, which is at 11');
  });

  it('finds a message of another chat', () => {
    const check = new DeliveryCheck('socket 1', CHAT, 10, true);
    check.heard(8, 11);
    expect(check.problemAt(10)).toBe('socket 1 heard 11 of chat 8 after 10 of chat 7');
  });

  it('is done when the head has come, or can not come any more', () => {
    const check = new DeliveryCheck('socket 1', CHAT, 10, true);
    expect(check.isDone(11)).toBe(false);
    check.heard(CHAT, 11);
    expect(check.isDone(11)).toBe(true);
    check.heard(CHAT, 13);
    expect(check.isDone(14)).toBe(true);
  });

  describe('where no order is promised', () => {
    it('counts the ones that came early', () => {
      const check = new DeliveryCheck('socket 1', CHAT, 10, false);
      for (const seq of [13, 12, 11, 14]) check.heard(CHAT, seq);
      expect(check.problemAt(14)).toBeUndefined();
      expect(check.overtaking).toBe(2);
    });

    it('still finds what came twice, and what never came', () => {
      expect(problemOf([12, 12, 11], 12, false)).toBe('socket 1 heard 12 of chat 7 after 10 of chat 7');
      expect(problemOf([11, 13], 13, false)).toBe('socket 1 heard up to 11 of chat 7, which is at 13');
    });
  });
});

const message = (key: string, seq: number, chatId = CHAT): StoredMessage => ({ chatId, key, seq });

describe('the numbers of the acks', () => {
  it('pass when each chat has 1, 2, 3 …, in whatever order they came', () => {
    expect(checkDense([message('b', 2), message('a', 1), message('c', 1, 8)])).toEqual([]);
  });

  it('show a hole and a double', () => {
    expect(checkDense([message('a', 1), message('c', 3)])).toEqual(['chat 7: 3 is acked where 2 was due']);
    expect(checkDense([message('a', 1), message('b', 1)])).toEqual(['chat 7: 1 is acked where 2 was due']);
  });
});

describe('the database against the acks', () => {
  const acked = [message('a', 1), message('b', 2)];

  it('passes when it holds just those', () => {
    expect(checkStored(acked, acked.toReversed())).toEqual([]);
  });

  it('lacks one', () => {
    expect(checkStored(acked, [message('a', 1)])).toEqual(["b of chat 7 was acked and isn't stored"]);
  });

  it('has one twice, or one too many', () => {
    expect(checkStored(acked, [...acked, message('b', 3)])).toEqual(['b is stored twice, or was never acked']);
    expect(checkStored(acked, [...acked, message('c', 3)])).toEqual(['c is stored twice, or was never acked']);
  });

  it('has one under another number, or in another chat', () => {
    expect(checkStored(acked, [message('a', 1), message('b', 3)])).toEqual(['b was acked as 2 and is stored as 3']);
    expect(checkStored(acked, [message('a', 1), message('b', 2, 8)])).toEqual([
      'b is stored twice, or was never acked',
      "b of chat 7 was acked and isn't stored",
    ]);
  });

  it('knows an ack that came for two messages', () => {
    expect(checkStored([...acked, message('b', 2)], acked)).toEqual(['1 messages were acked twice']);
  });
});
