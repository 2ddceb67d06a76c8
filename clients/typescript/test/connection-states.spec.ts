import { tableOf } from './state-tables.js';
import { Bench, page, shown } from './connection-bench.js';
import { type EventName, STATES, TABLE } from './connection-table.js';

describe('the connection and the sync', () => {
  const globals = globalThis as Record<string, unknown>;
  beforeAll(() => {
    globals.addEventListener = page.addEventListener.bind(page);
    globals.removeEventListener = page.removeEventListener.bind(page);
    globals.document = shown;
  });
  afterAll(() => {
    for (const name of ['addEventListener', 'removeEventListener', 'document']) Reflect.deleteProperty(globals, name);
  });

  const cells = Object.entries(TABLE).flatMap(([event, row]) =>
    STATES.map((state, index) => ({ event: event as EventName, state, next: row[index]! })),
  );

  it.each(cells)('$state, and then $event: $next', async ({ event, state, next }) => {
    const bench = await Bench.open();
    try {
      await bench.bring(state);
      const isPossible = await bench.meet(event);
      expect(isPossible).toBe(next !== 'never');
      if (next === 'never') return;
      await bench.settle(next);
      await bench.expectEffect(event, next);
    } finally {
      await bench.close();
    }
  });

  it('has no state and no event that STATES.md leaves out', () => {
    expect(tableOf('The connection and the sync')).toEqual({ states: STATES, rows: TABLE });
  });
});
