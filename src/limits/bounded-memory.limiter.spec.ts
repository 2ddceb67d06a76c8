import { BoundedMemoryLimiter } from './bounded-memory.limiter.js';

describe('BoundedMemoryLimiter', () => {
  const counted = async (limiter: BoundedMemoryLimiter, key: string): Promise<number> =>
    (await limiter.get(key))?.consumedPoints ?? 0;

  it('counts each key by itself', async () => {
    const limiter = new BoundedMemoryLimiter({ points: 2, duration: 60 });
    for (const key of ['a', 'b', 'a']) await limiter.consume(key);
    expect([await counted(limiter, 'a'), await counted(limiter, 'b')]).toEqual([2, 1]);
    await expect(limiter.consume('a')).rejects.toMatchObject({ remainingPoints: 0 });
  });

  it('forgets the oldest window when there are more keys than its bound, and no other one', async () => {
    const limiter = new BoundedMemoryLimiter({ points: 5, duration: 60 }, 3);
    for (const key of ['a', 'b', 'a', 'c', 'b', 'd']) await limiter.penalty(key);
    expect(await Promise.all(['b', 'c', 'd'].map((key) => counted(limiter, key)))).toEqual([2, 1, 1]);
    expect(limiter.dump().storage.map(({ key }) => key)).toEqual(['b', 'c', 'd']);
    for (let index = 0; index < 1_000; index += 1) await limiter.consume(`made up ${index}`);
    expect(limiter.dump().storage).toHaveLength(3);
  });
});
