/**
 * `describe` for specs that need a program which npm can't install: `npm ci && npm test` has to pass on a machine with
 * nothing but Node.js. Without the program they are skipped there, in a line that says so; in CI, which installs it, they
 * run and fail.
 */
export function describeWith(isInstalled: boolean, program: string): jest.Describe {
  if (isInstalled) return describe;
  process.stderr.write(`${expect.getState().testPath} needs ${program}.\n`);
  return process.env.CI ? describe : describe.skip;
}
