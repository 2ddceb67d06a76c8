import { readFileSync } from 'node:fs';

/** The table in STATES.md under this heading. */
export function tableOf(heading: string): { states: string[]; rows: Record<string, string[]> } {
  const document = readFileSync('clients/typescript/STATES.md', 'utf8');
  const section = document.split(/^## /m).find((one) => one.startsWith(`${heading}\n`))!;
  const lines = [...section.matchAll(/^\| (.+) \|$/gm)].map(([, row]) => row!.split('|').map((cell) => cell.trim()));
  const [head, , ...body] = lines;
  const states = head!.slice(1).map((state) => state.slice(1, -1));
  return { states, rows: Object.fromEntries(body.map(([event, ...cells]) => [event!, cells])) };
}
