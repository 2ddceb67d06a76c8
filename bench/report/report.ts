import { type Figure, isMet, type Target } from './figures.js';
import type { LoadFigures } from '../load/load-figures.js';

/** A text table with a head and aligned columns: text to the left, numbers to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const isNumber = (cell: string): boolean => /^[\d ., ]*$/.test(cell);
  const align = (cell: string, column: number): string =>
    rows.slice(1).every((row) => isNumber(row[column]!))
      ? cell.padStart(widths[column]!)
      : cell.padEnd(widths[column]!);
  return rows.map((row) => row.map(align).join('  ').trimEnd()).join('\n');
}

/** A table of the medians of figures with the same columns, and their targets. */
export function figuresTable(figures: readonly Figure[]): string {
  const columns = [...new Set(figures.flatMap((figure) => figure.columns))];
  const rows = figures.map((figure) => [
    figure.title,
    ...columns.map((column) => format(figure.median(column))),
    figure.unit,
    figure.targets.map((target) => verdict(figure, target)).join('; '),
  ]);
  return table([['', ...columns, 'unit', 'median of the ratios (least–most), and the target'], ...rows]);
}

/** A target and its outcome, such as `0.61 of bare (0.58–0.63), at least 0.5: met`. */
export function verdict(figure: Figure, target: Target): string {
  const { over, atLeast, atMost } = target;
  const value = figure.reached(target);
  const ratios = over === undefined ? [] : figure.ratios(over);
  const ratio = `${format(value)} of ${over} (${format(Math.min(...ratios))}–${format(Math.max(...ratios))})`;
  const bound = atLeast !== undefined ? `at least ${format(atLeast)}` : `at most ${format(atMost)}`;
  const outcome = isMet(target, value) ? 'met' : 'MISSED';
  if (over === undefined) return `${bound}: ${outcome}`;
  return atLeast === undefined && atMost === undefined ? ratio : `${ratio}, ${bound}: ${outcome}`;
}

/** A table of the rates and latencies of the servers under each load, and the CPU shares. */
export function loadsTable(loads: readonly LoadFigures[]): string {
  const head = [
    '',
    '',
    'acks/s',
    'deliveries/s',
    'receipts/s',
    'p50 ms',
    'p99 ms',
    'server',
    'PostgreSQL',
    'generator',
    'others',
  ];
  const rows = loads.flatMap((load) =>
    load.servers.map((server) => {
      const { acks, deliveries, receipts, p50, p99, cpu } = load.median(server);
      const cells = [acks, deliveries, receipts, p50, p99, cpu.server, cpu.postgres, cpu.generator, cpu.others].map(
        format,
      );
      return [load.title, server, ...cells];
    }),
  );
  return table([head, ...rows]);
}

/** Formats a number with three significant digits and separated thousands. */
export function format(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '';
  if (value >= 1_000) return Math.round(value).toLocaleString('en').replaceAll(',', ' ');
  return Number.isInteger(value) ? String(value) : value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
}
