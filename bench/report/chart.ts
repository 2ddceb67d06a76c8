import { type Figure, isMet, type Target } from './figures.js';
import { format } from './report.js';
import type { Results } from './results.js';

const WIDTH = 1_000;
const ROW = 34;
const BAR = 16;
const TOP = 118;
const LEFT = 330;
/** The length of a bar that exactly meets its target, and the maximum length of a bar. */
const ON_TARGET = 200;
const LONGEST = 300;
const MET = '#2f7d5b';
const MISSED = '#c4622d';
const INK = '#1f2933';
const FAINT = '#66727f';

interface Row {
  readonly figure: Figure;
  readonly target: Target;
}

/** Draws an SVG chart of all figures with a target. Each bar is the figure as a share of its target. */
export function chartOf(results: Results): string {
  const rows = results.figures.flatMap((figure) => figure.targets.map((target) => ({ figure, target })));
  const atLeast = rows.filter(({ target }) => target.atLeast !== undefined);
  const atMost = rows.filter(({ target }) => target.atMost !== undefined);
  const { environment: e, date, rounds } = results;
  const { machine } = e;
  const second = TOP + 30 + atLeast.length * ROW + 44;
  const height = second + 30 + atMost.length * ROW + 34;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13" fill="${INK}">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(24, 36, 'WinDI Chat against its targets', 'font-size="20" font-weight="600"'),
    text(
      24,
      60,
      `Each bar is what was measured as a share of its target, the median of ${rounds} interleaved rounds; » is longer than drawn.`,
    ),
    text(
      24,
      80,
      `${date.slice(0, 10)}, commit ${e.commit}; ${machine.cores} × ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.os};`,
      faint,
    ),
    text(
      24,
      97,
      `Node ${e.node}, PostgreSQL ${e.postgresql.server_version}; load, server and database on this one machine`,
      faint,
    ),
    text(WIDTH - 24, TOP + 18, 'target', `text-anchor="end" ${faint}`),
    ...group('At least: the bar should reach the line', atLeast, TOP + 18),
    ...group('At most: the bar should end before the line', atMost, second),
    '</svg>\n',
  ].join('\n');
}

const faint = `fill="${FAINT}"`;

function group(title: string, rows: readonly Row[], top: number): string[] {
  const bottom = top + 14 + rows.length * ROW;
  const line = LEFT + ON_TARGET;
  return [
    text(24, top, title, 'font-weight="600"'),
    ...rows.flatMap((row, index) => bar(row, top + 14 + index * ROW)),
    `<line x1="${line}" y1="${top + 10}" x2="${line}" y2="${bottom}" stroke="${INK}" stroke-dasharray="3 3"/>`,
  ];
}

function bar({ figure, target }: Row, top: number): string[] {
  const value = figure.reached(target);
  const bound = target.atLeast ?? target.atMost!;
  const length = Math.min((value / bound) * ON_TARGET, LONGEST);
  const middle = top + ROW / 2;
  const unit = target.over === undefined ? ` ${figure.unit}` : ` × ${target.over}`;
  const sign = target.atLeast === undefined ? '≤' : '≥';
  const cut = length === LONGEST ? ' »' : '';
  const colour = isMet(target, value) ? MET : MISSED;
  return [
    text(24, middle + 4, figure.title),
    `<rect x="${LEFT}" y="${middle - BAR / 2}" width="${length.toFixed(1)}" height="${BAR}" rx="2" fill="${colour}"/>`,
    text(LEFT + Math.max(length, ON_TARGET) + 10, middle + 4, `${format(value)}${unit}${cut}`, 'font-weight="600"'),
    text(WIDTH - 90, middle + 4, sidesOf(figure, target), `text-anchor="end" ${faint}`),
    text(WIDTH - 24, middle + 4, `${sign} ${format(bound)}`, `text-anchor="end" ${faint}`),
  ];
}

/** The two medians of a ratio, as text. */
function sidesOf(figure: Figure, { over }: Target): string {
  if (over === undefined) return '';
  return `${format(figure.median(figure.subject))} : ${format(figure.median(over))} ${figure.unit}`;
}

function text(x: number, y: number, content: string, attributes = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<text x="${x}" y="${y}" ${attributes}>${escaped}</text>`;
}
