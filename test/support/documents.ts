// Finds names in the documents and in the comments of the code, for documents.spec.ts.

import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

/** A text in a file, with its line number. */
export interface Found {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** Folders that are generated or installed. */
const SKIPPED: ReadonlySet<string> = new Set([
  '.git',
  'node_modules',
  'dist',
  '.data',
  'coverage',
  'generated',
  '.venv',
]);

/** The paths of all files below a folder, from the root. */
function walk(folder: string): string[] {
  return readdirSync(folder === '' ? '.' : folder, { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name)) return [];
    const path = posix.join(folder, entry.name);
    return entry.isDirectory() ? walk(path) : [path];
  });
}

/** The files of the repository. */
export const FILES: readonly string[] = walk('');

const FOLDERS: ReadonlySet<string> = new Set(FILES.flatMap(parentsOf));

export const DOCUMENTS = FILES.filter((path) => path.endsWith('.md'));

export const CODE = FILES.filter((path) => /^((src|test|bench|clients)\/.*|sdks\/[\w-]+)\.(ts|js)$/.test(path));

/** All matches in a file, each with the text of the first group. */
export function findAll(file: string, pattern: RegExp, content = readFileSync(file, 'utf8')): Found[] {
  return [...content.matchAll(pattern)].map((match) => ({
    file,
    line: content.slice(0, match.index).split('\n').length,
    text: match[1] ?? match[0],
  }));
}

/** A document without code blocks and links to other sites. Line numbers are kept. */
export function proseOf(document: string): string {
  const others = /^```[^]*?^```|\[[^\]]*\]\(https?:[^)]*\)/gm;
  return readFileSync(document, 'utf8').replace(others, (text) => text.replace(/[^\n]/g, ''));
}

/** The comments of a source file. Line numbers are kept. */
export function commentsOf(file: string): string {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.map((line) => /^\s*(?:\/?\*|\/\/).*| \/\/ .*$/.exec(line)?.[0] ?? '').join('\n');
}

/** All texts in backticks. */
export function codeSpans(file: string, content: string): Found[] {
  return findAll(file, /(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)/g, content);
}

/** The anchors of a document's headings, as GitHub makes them. */
export function anchorsOf(document: string): string[] {
  const headings = findAll(document, /^#+ (.+)$/gm, proseOf(document));
  return headings.map(({ text }) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Whether the path is a file or folder in one of these folders. `*` matches any name. */
export function exists(path: string, ...folders: readonly string[]): boolean {
  return folders.some((folder) => isPath(posix.join(folder, path)));
}

function isPath(path: string): boolean {
  const bare = path.replace(/\/$/, '');
  if (!bare.includes('*')) return FILES.includes(bare) || FOLDERS.has(bare);
  const pattern = bare
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('**', '\0')
    .replaceAll('*', '[^/]+')
    .replaceAll('\0', '.+');
  const whole = new RegExp(`^${pattern}$`);
  return FILES.some((file) => whole.test(file)) || [...FOLDERS].some((folder) => whole.test(folder));
}

function parentsOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}
