import { mayBreak } from './released.js';

describe('a version', () => {
  it.each([
    ['0.1.0', '0.1.0', false],
    ['0.1.0', '0.1.1', false],
    ['0.1.0', '0.2.0', true],
    ['0.9.0', '0.10.0', true],
    ['0.9.0', '1.0.0', true],
    ['1.2.0', '1.3.0', false],
    ['1.2.0', '2.0.0', true],
    ['1.0.0', '0.9.0', false],
  ])('after %s, %s may break clients: %s', (released, current, may) => {
    expect(mayBreak(released, current)).toBe(may);
  });
});
