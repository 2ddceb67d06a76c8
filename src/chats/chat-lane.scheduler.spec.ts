import { ChatLaneScheduler } from './chat-lane.scheduler.js';

/** A promise that the test resolves with `open`. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

describe('lanes of chats', () => {
  let lanes: ChatLaneScheduler;
  let flushed: number[][];
  let gates: ReturnType<typeof gate>[];

  beforeEach(() => {
    lanes = new ChatLaneScheduler();
    flushed = [];
    gates = [];
    lanes.onFlush<number>((items) => {
      flushed.push(items);
      const next = gate();
      gates.push(next);
      return next.opened;
    });
  });

  /** Lets the callbacks of resolved promises run. */
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('flush a single item at once, then together those that came meanwhile, in the order of each chat', async () => {
    lanes.add(1, 10);
    expect(flushed).toEqual([[10]]);
    for (const [chat, item] of [
      [2, 20],
      [1, 11],
      [2, 21],
      [1, 12],
    ] as const) {
      lanes.add(chat, item);
    }
    expect(flushed).toHaveLength(1);
    gates[0]!.open();
    await settle();
    expect(flushed[1]).toEqual([20, 21, 11, 12]);
  });

  it('start a second flush when 64 items wait, and never flush a chat twice at a time', async () => {
    lanes.add(1, 10);
    lanes.add(1, 11);
    for (let item = 0; item < 62; item += 1) lanes.add(2, item);
    expect(flushed).toHaveLength(1);
    lanes.add(3, 30);
    expect(flushed).toHaveLength(2);
    expect(flushed[1]).toHaveLength(63);
    for (let item = 0; item < 200; item += 1) lanes.add(4, item);
    expect(flushed).toHaveLength(2);
    gates[1]!.open();
    await settle();
    // Chat 1 still has a flush under way, so its next item waits.
    expect(flushed[2]).toHaveLength(200);
    gates[0]!.open();
    gates[2]!.open();
    await settle();
    expect(flushed[3]).toEqual([11]);
  });

  it('run a task in its turn and alone in its chat', async () => {
    const order: string[] = [];
    const task = gate();
    lanes.add(1, 1);
    const done = lanes.run(1, async () => {
      order.push('task begins');
      await task.opened;
      order.push('task ends');
      return 'result';
    });
    lanes.add(1, 2);
    await settle();
    expect([order, flushed]).toEqual([[], [[1]]]);
    gates[0]!.open();
    await settle();
    expect([order, flushed]).toEqual([['task begins'], [[1]]]);
    task.open();
    expect(await done).toBe('result');
    await settle();
    expect([order, flushed]).toEqual([
      ['task begins', 'task ends'],
      [[1], [2]],
    ]);
  });

  it('run the next task after one that fails', async () => {
    await expect(lanes.run(1, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await lanes.run(1, () => Promise.resolve('yes'))).toBe('yes');
  });

  it('refuse an item beyond 10,000 waiting ones, and accept items when there is room again', async () => {
    lanes.add(1, 0);
    for (let i = 1; i <= 10_000; i += 1) lanes.add(1, i);
    expect(() => lanes.add(1, 10_001)).toThrow(expect.objectContaining({ code: 'overloaded' }));
    gates[0]!.open();
    await settle();
    expect(flushed[1]).toHaveLength(256);
    expect(() => lanes.add(2, 10_002)).not.toThrow();
  });

  it('refuse a task while 10,000 wait, and run one when there is room again', async () => {
    const first = gate();
    const tasks = Array.from({ length: 10_000 }, (_, index) => lanes.run(index % 7, () => first.opened));
    const ran: number[] = [];
    const task = (id: number) => () => Promise.resolve(ran.push(id));
    await expect(lanes.run(8, task(1))).rejects.toMatchObject({ code: 'overloaded' });
    first.open();
    await Promise.all(tasks);
    await lanes.run(8, task(2));
    expect(ran).toEqual([2]);
  });
});
