import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { SDKS, SOCKET_CLIENTS } from '../sdks/catalogue.js';
import {
  anchorsOf,
  CODE,
  codeSpans,
  commentsOf,
  DOCUMENTS,
  exists,
  FILES,
  findAll,
  type Found,
  proseOf,
} from './support/documents.js';

/** File names in documents that are not in the repository, and why they are mentioned. */
const OTHER_FILES: Readonly<Record<string, string>> = {
  'tour.mjs': 'the reader saves it',
};

/** Words in backticks that are not in the code, and what they are. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  Origin: 'a header of HTTP',
  commit_delay: 'a setting of PostgreSQL',
  NOTIFY: 'a statement of PostgreSQL',
  VOLATILE: 'a word of PostgreSQL for functions',
};

const KNOWN_ENDING = /\.(ts|js|mjs|json|md|sql|ya?ml|bat|sh|svg|py)$/;
/** Excludes routes, packages and paths that begin with a variable. */
const LOOKS_LIKE_A_PATH = /^(?![/@]|[A-Z_]+\/)[\w.@*{},-]+(\/[\w.@*{},-]*)*$/;
const EVENT = /^[a-z]+:[a-z]+$/;
const SYMBOL = /^@?([A-Z]\w*[a-z]\w*)(?:\.(\w+))?(?:\(.*\))?$/;

/** `camelCase`, `snake_case`, `CONSTANT`, and `table.column` or `object.member`. */
const IDENTIFIER = /^(?:[a-z]+[A-Z]\w*|[a-z]+(?:_[a-z]+)+|[A-Z_]{2,}|[a-z]\w*\.\w+)$/;

const CONTRACT = readFileSync('src/contract/events.ts', 'utf8');

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

const describeAll = (missing: readonly Found[]): string[] =>
  missing.map(({ file, line, text }) => `${file}:${line}: ${text}`);

const inDocuments = (find: (document: string, prose: string) => Found[]): Found[] =>
  DOCUMENTS.flatMap((document) => find(document, proseOf(document)));

const spansOfDocuments = inDocuments(codeSpans);

const spansOfComments = CODE.flatMap((file) => codeSpans(file, commentsOf(file)));

/** The path in a text that looks like one, with `<name>` replaced by `*`. */
function pathIn(text: string): string | undefined {
  const path = text.replace(/<[^>]*>/g, '*').replace(/^\.\//, '');
  const isPath = LOOKS_LIKE_A_PATH.test(path) && (path.includes('/') || KNOWN_ENDING.test(path));
  return isPath && !(path in OTHER_FILES) ? path : undefined;
}

function isDanglingPath({ file, text }: Found): boolean {
  const path = pathIn(text);
  return path !== undefined && !exists(path, '.', posix.dirname(file));
}

/** Only file names count: many other texts in comments have a slash. A name may be that of the compiled file. */
function isDanglingFile({ file, text }: Found): boolean {
  const path = pathIn(text);
  if (path === undefined || !KNOWN_ENDING.test(path)) return false;
  return ![path, path.replace(/js$/, 'ts')].some((name) => exists(name, '.', 'src', posix.dirname(file)));
}

function isDanglingLink({ file, text }: Found): boolean {
  if (/^[a-z]+:/.test(text)) return false;
  const [path, anchor] = text.split('#') as [string, string?];
  const target = path === '' ? file : posix.join(posix.dirname(file), path);
  return !exists(target, '.') || (anchor !== undefined && !anchorsOf(target).includes(anchor));
}

/** The exports of the files, by name: the text of each, up to the next export. */
function exportsOf(files: readonly string[]): Map<string, string> {
  const pattern = /^export (?:abstract |async )*(?:class|interface|type|function|const) (\w+)/;
  const exported = new Map<string, string>();
  for (const piece of files.flatMap((file) => readFileSync(file, 'utf8').split(/^(?=export )/m))) {
    const name = pattern.exec(piece)?.[1];
    if (name !== undefined) exported.set(name, `${exported.get(name) ?? ''}${piece}`);
  }
  return exported;
}

function importedFromPackages(files: readonly string[]): Set<string> {
  const imports = files.flatMap((file) => findAll(file, /^import (?:type )?\{([^}]*)\} from '[^.']/gm));
  return new Set(imports.flatMap(({ text }) => text.match(/\w+/g) ?? []));
}

const wordsOf = (files: readonly string[]): Set<string> =>
  new Set(files.flatMap((file) => readFileSync(file, 'utf8').match(/\w+/g) ?? []));

const WORDS = wordsOf([...CODE, ...FILES.filter((path) => /^migrations\/|\.js$/.test(path))]);

/** Those of the journeys and of what configures their generators. */
const SDK_WORDS = wordsOf(FILES.filter((path) => /^sdks\/.*\.(ts|py|go|java|kt|xml|ini|yaml)$/.test(path)));

const PYTHON_WORDS = wordsOf(FILES.filter((path) => /^clients\/python\/.*\.py$/.test(path)));

/** Names of what generators make are not in the repository, but where a journey uses them; those of Python elsewhere. */
const isOfSdk = ({ file, text }: Found): boolean => {
  const words = file === 'docs/sdks.md' ? SDK_WORDS : file.startsWith('clients/python/') ? PYTHON_WORDS : undefined;
  return words !== undefined && text.match(/\w+/g)!.every((word) => words.has(word));
};

const EXPORTS = exportsOf(CODE);
const IMPORTED = importedFromPackages(CODE);

function isDanglingSymbol({ text }: Found): boolean {
  const [, name, member] = SYMBOL.exec(text) ?? [];
  if (name === undefined || name in OTHER_NAMES || name in globalThis || IMPORTED.has(name)) return false;
  const declaration = EXPORTS.get(name);
  if (declaration === undefined) return true;
  return member !== undefined && !new RegExp(`^ +(?:[a-z]+ )*\\*?${member}\\b`, 'm').test(declaration);
}

const isUnknownIdentifier = ({ text }: Found): boolean =>
  IDENTIFIER.test(text) &&
  !KNOWN_ENDING.test(text) &&
  !(text in OTHER_NAMES) &&
  !text.split('.').every((word) => WORDS.has(word));

const namesOf = (contract: string): string[] =>
  [...contract.matchAll(/^ {2}'?([\w:]+)'?: /gm)].map(([, name]) => name!).sort();

/** The commands or the events of the contract. */
const namesIn = (type: 'ClientToServerEvents' | 'ServerToClientEvents'): string[] =>
  namesOf(new RegExp(`interface ${type} \\{[^]*?^\\}`, 'm').exec(CONTRACT)![0]);

/** The names in the first column of the table under a heading of docs/realtime.md. */
function namesUnder(heading: string): string[] {
  const document = readFileSync('docs/realtime.md', 'utf8');
  const section = document.split(`\n## ${heading}\n`)[1]!.split(/\n##+ /)[0]!;
  return [...section.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell]) => cell!.match(/[\w:]+/g)!).sort();
}

describe('documents', () => {
  it('link to documents, anchors and files that exist', () => {
    const links = inDocuments((document, prose) => findAll(document, /\]\(([^)\s]+)\)/g, prose));
    expect(links.length).toBeGreaterThan(50);
    expect(describeAll(links.filter(isDanglingLink))).toEqual([]);
  });

  it('name files and folders that exist', () => {
    expect(describeAll(spansOfDocuments.filter(isDanglingPath))).toEqual([]);
  });

  it('name scripts of package.json', () => {
    const calls = DOCUMENTS.flatMap((document) => findAll(document, /\bnpm (?:run )?((?<=run )[\w:]+|test|start)\b/g));
    expect(describeAll(calls.filter(({ text }) => !(text in scripts)))).toEqual([]);
  });

  it('name symbols that the code exports, and members that they have', () => {
    expect(describeAll(spansOfDocuments.filter((span) => isDanglingSymbol(span) && !isOfSdk(span)))).toEqual([]);
  });

  it('name functions, constants, columns and fields that occur in the code', () => {
    expect(describeAll(spansOfDocuments.filter((span) => isUnknownIdentifier(span) && !isOfSdk(span)))).toEqual([]);
  });

  it('name events and commands of the contract', () => {
    const known = [...namesIn('ClientToServerEvents'), ...namesIn('ServerToClientEvents')];
    const events = spansOfDocuments.filter(({ text }) => EVENT.test(text));
    expect(describeAll(events.filter(({ text }) => !known.includes(text)))).toEqual([]);
  });

  it.each(['ClientToServerEvents', 'ServerToClientEvents'] as const)('list all of %s in docs/realtime.md', (type) => {
    expect(namesUnder(type === 'ClientToServerEvents' ? 'Commands' : 'Events')).toEqual(namesIn(type));
  });

  it('name in docs/sdks.md the versions with which the SDKs are made', () => {
    const pinned = [...SDKS, ...SOCKET_CLIENTS].map(
      ({ pin: [file, version] }) => version.exec(readFileSync(`sdks/${file}`, 'utf8'))?.[1],
    );
    const named = readFileSync('docs/sdks.md', 'utf8').match(/\d+\.\d+\.\d+/g);
    expect(new Set(named)).toEqual(new Set(pinned));
  });

  it('refer to no numbered section', () => {
    const texts = inDocuments((document, prose) => findAll(document, /\bsections? \d+\b/g, prose));
    expect(describeAll(texts)).toEqual([]);
  });
});

describe('comments', () => {
  it('name documents and files that exist', () => {
    const documents = CODE.flatMap((file) => findAll(file, /\bdocs\/[\w/-]+\.md\b/g, commentsOf(file)));
    const missing = [...documents.filter(isDanglingPath), ...spansOfComments.filter(isDanglingFile)];
    expect(describeAll(missing)).toEqual([]);
  });

  it('refer to no numbered section, and to no section of the contract', () => {
    const pattern = /\bsections? \d+\b|the contract's section/g;
    const files = [...CODE, ...FILES.filter((path) => /^[^/]+\.js$/.test(path))];
    expect(describeAll(files.flatMap((file) => findAll(file, pattern, commentsOf(file))))).toEqual([]);
  });
});
