import type { Verdict, Violation } from './checker.js';
import { groupBy } from './evidence.js';
import type { Run } from './run.js';

/** How many violations of one rule are shown with their evidence. */
const SHOWN = 3;

/** What a run was: its counts, its faults, how each was overcome, and the verdict in a line. */
export function report({ verdict: { counts, violations, latencies }, recoveries }: Run): string {
  const lines = Object.entries(counts).map(([name, count]) => `  ${String(count).padStart(8)}  ${name}`);
  const faults = recoveries.map(({ kind, ms }) => `  ${ms.toFixed(0).padStart(8)}  ${kind}`);
  const [median, p99] = [0.5, 0.99].map((share) => latencies[Math.floor(share * latencies.length)]?.toFixed(0) ?? '-');
  return [
    'What the clients did and saw:',
    ...lines,
    `From an ack to the last device, with nothing away but Redis at times: median ${median} ms, p99 ${p99} ms (${latencies.length} messages).`,
    `${faults.length} faults, and the milliseconds from the end of each until every node had taken a message:`,
    ...faults,
    violations.length === 0 ? 'No promise was broken.' : `${violations.length} times a promise was broken.`,
  ].join('\n');
}

/** The violations by rule, the first few of each with the entries of the history that show them. */
export function explain({ violations }: Verdict): string {
  const show = ({ what, evidence }: Violation): string[] => [
    `  ${what}`,
    ...evidence.map((entry) => `    ${entry.at.toFixed(0)} ms ${JSON.stringify({ ...entry, at: undefined })}`),
  ];
  return [...groupBy(violations, ({ rule }) => rule)]
    .flatMap(([rule, list]) => [`\n${rule}: ${list.length}`, ...list.slice(0, SHOWN).flatMap(show)])
    .join('\n');
}
