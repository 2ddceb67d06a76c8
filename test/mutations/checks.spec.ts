import { readFileSync } from 'node:fs';
import { checks } from './checks.js';

describe('mutations', () => {
  it.each(checks)('fit the code: $name', ({ file, cut, put }) => {
    expect(readFileSync(file, 'utf8').split(cut).length - 1).toBe(1);
    expect(put).not.toBe(cut);
  });
});
