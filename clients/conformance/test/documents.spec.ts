import { readFileSync } from 'node:fs';
import { loadScenarios, type Step } from '../scenario.js';

const FOLDER = 'clients/conformance';

/** The names in the first column of the table of steps in README.md. */
const described = [
  ...readFileSync(`${FOLDER}/README.md`, 'utf8')
    .split('## The scenarios')[1]!
    .matchAll(/^\| (`.+?) +\|/gm),
]
  .flatMap(([, cell]) => cell!.match(/\w+/g)!)
  .sort();

interface Schema {
  items: { properties: { steps: { items: { oneOf: { properties: { do: { const: Step['do'] } } }[] } } } };
}

describe('the scenarios of the conformance suite', () => {
  const scenarios = loadScenarios(FOLDER);

  it('are made of the steps that README.md describes', () => {
    const { items } = JSON.parse(readFileSync(`${FOLDER}/scenarios.schema.json`, 'utf8')) as Schema;
    expect(items.properties.steps.items.oneOf.map((step) => step.properties.do.const).sort()).toEqual(described);
  });

  it('use each of these steps', () => {
    const used = new Set(scenarios.flatMap(({ steps }) => steps.map((step) => step.do)));
    expect([...used].sort()).toEqual(described);
  });

  it('have names of their own, and end with a comparison or a count', () => {
    expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
    for (const { steps } of scenarios) expect(steps.at(-1)!.do).toMatch(/^(equal|tries|until)$/);
  });
});
