import { readFileSync } from 'node:fs';

// Reads the tables of matrix.md.

export const RELATIONS = ['outsider', 'ex-member', 'member', 'admin', 'owner'] as const;
/** The relation of a caller to the group. */
export type Relation = (typeof RELATIONS)[number];

/** A row of one of the tables. */
export interface Row {
  /** The route, the event, or the path of a WebSocket. */
  readonly name: string;
  /** A body or payload as JSON, or a query string; empty for none. */
  readonly sent: string;
  /** The value of each parameter: one, or several that must be answered alike. */
  readonly about: Readonly<Record<string, readonly string[]>>;
  /** The expected answers, by the heading of the column. */
  readonly answers: Readonly<Record<string, string>>;
}

type Section = 'Public routes' | 'Routes' | 'Events' | 'Plain WebSockets';

const text = readFileSync(new URL('matrix.md', import.meta.url), 'utf8');

/** The error code for each kind of invalid token. */
export const TOKENS: readonly (readonly [token: string, code: string])[] = cellsOf('Tokens').map(
  ([token, code]) => [token!, code!] as const,
);

/** The rows of a section's table, each with the values it inherits from the rows above. */
export function rowsOf(section: Section): Row[] {
  const [, , , ...columns] = headOf(section);
  let name = '';
  let sent = '';
  return cellsOf(section).map(([ownName, ownSent, about, ...answers]) => {
    if (ownName) [name, sent] = [ownName, ''];
    if (ownSent) sent = ownSent;
    const answerOf = columns.map((column, index) => [column, answers[index]!] as const);
    return { name, sent, about: parseAbout(about!), answers: Object.fromEntries(answerOf) };
  });
}

/** `a = x / y, b = z` */
function parseAbout(about: string): Row['about'] {
  const pairs = about.split(', ').filter((pair) => pair !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name, things] = pair.split(' = ') as [string, string];
      return [name, things.split(' / ')];
    }),
  );
}

const headOf = (section: string): string[] => linesOf(section)[0]!;
// The second line is the separator of a Markdown table.
function cellsOf(section: string): string[][] {
  return linesOf(section).slice(2);
}

function linesOf(section: string): string[][] {
  const [, rest] = text.split(`\n## ${section}\n`) as [string, string];
  const lines = rest
    .split('\n## ')[0]!
    .split('\n')
    .filter((line) => line.startsWith('|'));
  return lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}
