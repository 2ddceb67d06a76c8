import { LogWatermark } from './log.watermark.js';
import { PublishedPositions } from './published-positions.js';

const START_OF_LOG = { messageId: 0, changeId: 0 };

describe('PublishedPositions', () => {
  it('never goes back when an older position comes last', () => {
    const published = new PublishedPositions(new LogWatermark());
    published.advance(7, { seq: 5, changeSeq: 2 });
    published.advance(7, { seq: 3, changeSeq: 4 });
    expect(published.of(7)).toMatchObject({ seq: 5, changeSeq: 4 });
    expect(published.has(7, { seq: 5, changeSeq: 4 })).toBe(true);
    expect(published.has(7, { seq: 6, changeSeq: 0 })).toBe(false);
    expect(published.has(8, { seq: 0, changeSeq: 0 })).toBe(false);
  });

  it('forgets a chat a minute after it last advanced, and not before', () => {
    const now = jest.spyOn(performance, 'now').mockReturnValue(1_000);
    const published = new PublishedPositions(new LogWatermark());
    published.advance(7, { seq: 1, changeSeq: 0 });
    published.advance(8, { seq: 1, changeSeq: 0 });
    now.mockReturnValue(50_000);
    published.advance(7, { seq: 2, changeSeq: 0 });
    now.mockReturnValue(62_000);
    published.forget(START_OF_LOG);
    now.mockRestore();
    expect([published.of(7)?.seq, published.of(8)?.seq]).toEqual([2, undefined]);
  });

  it('forgets the changes up to the low watermark, and no others', () => {
    const published = new PublishedPositions(new LogWatermark());
    for (const id of [4, 5, 6]) published.addChange(id);
    published.forget({ messageId: 0, changeId: 5 });
    expect([4, 5, 6].map((id) => published.hasChange(id))).toEqual([false, false, true]);
  });
});
