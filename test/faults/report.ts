import type { Verdict, Violation } from './checker.js';
import { groupBy } from './evidence.js';
import type { Run } from './run.js';

/** How many violations of a rule are shown with their evidence. */
const SHOWN = 3;

/** The report of a run: its counts, its faults with the recovery times, and the verdict in one line. */
export function report({ verdict: { counts, violations, latencies }, recoveries }: Run): string {
  const lines = Object.entries(counts).map(([name, count]) => `  ${String(count).padStart(8)}  ${name}`);
  const faults = recoveries.map(({ kind, ms }) => `  ${ms.toFixed(0).padStart(8)}  ${kind}`);
  const [median, p99] = [0.5, 0.99].map((share) => latencies[Math.floor(share * latencies.length)]?.toFixed(0) ?? '-');
  return [
    'What the clients did and received:',
    ...lines,
    `From an ack to the last device, without faults other than Redis: median ${median} ms, p99 ${p99} ms (${latencies.length} messages).`,
    `${faults.length} faults, and the milliseconds from the end of each until every node had accepted a message:`,
    ...faults,
    violations.length === 0 ? 'No rule was broken.' : `${violations.length} violations of the rules.`,
  ].join('\n');
}

/** The violations by rule: the first few of each, with the entries of the history that show them. */
export function explain({ violations }: Verdict): string {
  const show = ({ what, evidence }: Violation): string[] => [
    `  ${what}`,
    ...evidence.map((entry) => `    ${entry.at.toFixed(0)} ms ${JSON.stringify({ ...entry, at: undefined })}`),
  ];
  return [...groupBy(violations, ({ rule }) => rule)]
    .flatMap(([rule, list]) => [`\n${rule}: ${list.length}`, ...list.slice(0, SHOWN).flatMap(show)])
    .join('\n');
}
