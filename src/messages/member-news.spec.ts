import type { MessageDto } from '../chats/dto/message.dto.js';
import { isBehind } from './member-news.js';
import type { MessageNews } from './news.js';

describe('isBehind', () => {
  const chat = (since: number | null, lastChangeSeq: number, ...changeSeqs: (number | null)[]): MessageNews => {
    const messages = changeSeqs.map((change_seq) => ({ change_seq }) as MessageDto);
    return { since, last_change_seq: lastChangeSeq, messages } as MessageNews;
  };

  it.each([
    ['nothing has changed', chat(5, 5), false],
    ['messages have come', chat(5, 5, null, null), false],
    ['something has changed', chat(5, 6), true],
    // The chat was read before change 6, the messages after change 7: a cursor may move to 7.
    ['a message was changed after the chat was read', chat(5, 5, null, 7), true],
    ['the client holds nothing of the chat', chat(null, 5, 3), false],
  ])('when %s: %#', (_, news, expected) => expect(isBehind(news)).toBe(expected));
});
