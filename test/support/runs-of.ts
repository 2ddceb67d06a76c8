/** The number of runs of a random test: `few` in `npm test`, `many` in `npm run test:long` (`jest.long.config.js`). */
export function runsOf(few: number, many: number): number {
  return 'LONG_RUNS' in globalThis ? many : few;
}
