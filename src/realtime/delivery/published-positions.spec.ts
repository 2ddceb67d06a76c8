import { jest } from '@jest/globals';
import { PublishedPositions } from './published-positions.js';

describe('the positions of chats', () => {
  it('never go back, whichever news comes last', () => {
    const positions = new PublishedPositions();
    positions.advance(7, { seq: 5, changeSeq: 2 });
    positions.advance(7, { seq: 3, changeSeq: 4 });
    expect(positions.of(7)).toMatchObject({ seq: 5, changeSeq: 4 });
    expect(positions.has(7, { seq: 5, changeSeq: 4 })).toBe(true);
    expect(positions.has(7, { seq: 6, changeSeq: 0 })).toBe(false);
    expect(positions.has(8, { seq: 0, changeSeq: 0 })).toBe(false);
  });

  it('are forgotten a minute after the last news, and not before', () => {
    const now = jest.spyOn(performance, 'now').mockReturnValue(1_000);
    const positions = new PublishedPositions();
    positions.advance(7, { seq: 1, changeSeq: 0 });
    positions.advance(8, { seq: 1, changeSeq: 0 });
    now.mockReturnValue(50_000);
    positions.advance(7, { seq: 2, changeSeq: 0 });
    now.mockReturnValue(62_000);
    positions.forgetQuiet();
    now.mockRestore();
    expect([positions.of(7)?.seq, positions.of(8)?.seq]).toEqual([2, undefined]);
  });
});
