import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MemoryDatabase } from '../storage/memory.js';
import type {
  Changes,
  Database,
  KeptSession,
  NewEntry,
  OutboxEntry,
  SessionStore,
  Storage,
} from '../storage/storage.js';

/** A line of the log: what was added to the outbox, or what was written. */
type Line =
  | { readonly entry: OutboxEntry; readonly replaced: readonly number[] }
  | { readonly changes: Changes }
  | { readonly cacheDropped: true };

/** Nobody else may read the files. */
const OWNER_ONLY = 0o600;

/** With so many lines the log is written anew. */
const MOST_LINES = 2_000;

/** Replaces a file as a whole: after a crash it is the old one or the new one. */
async function replaceFile(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', OWNER_ONLY);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

const readText = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

/**
 * A database in memory, with a log in a file of all that has been written: a line for each write, on the disk before the
 * write counts as done. A line that a crash has cut short was not.
 */
class FileDatabase extends MemoryDatabase {
  #lines = 0;
  /** Writes happen one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  readonly #path: string;

  private constructor(path: string) {
    super();
    this.#path = path;
  }

  static async open(path: string): Promise<FileDatabase> {
    const database = new FileDatabase(path);
    for (const line of (await readText(path)).split('\n')) database.#replay(line);
    await database.#compact();
    return database;
  }

  override add(entry: NewEntry, replaced: readonly number[]): Promise<OutboxEntry> {
    return this.#inTurn(async () => {
      const added = { ...entry, position: this.nextPosition() };
      await this.#append({ entry: added, replaced });
      return added;
    });
  }

  override write(changes: Changes): Promise<void> {
    return this.#inTurn(() => this.#append({ changes }));
  }

  override dropCache(): Promise<void> {
    return this.#inTurn(() => this.#append({ cacheDropped: true }));
  }

  override async close(): Promise<void> {
    await this.#turn;
  }

  override async destroy(): Promise<void> {
    await this.#turn;
    await super.destroy();
    await rm(this.#path, { force: true });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #append(line: Line): Promise<void> {
    const file = await open(this.#path, 'a', OWNER_ONLY);
    try {
      await file.writeFile(`${JSON.stringify(line)}\n`);
      await file.datasync();
    } finally {
      await file.close();
    }
    this.#take(line);
    this.#lines += 1;
    if (this.#lines > MOST_LINES) await this.#compact();
  }

  #replay(text: string): void {
    if (text === '') return;
    try {
      this.#take(JSON.parse(text) as Line);
    } catch {
      // Cut short by a crash.
    }
  }

  #take(line: Line): void {
    if ('entry' in line) this.putInstead(line.entry, line.replaced);
    else if ('changes' in line) this.apply(line.changes);
    else this.clearCache();
  }

  async #compact(): Promise<void> {
    const { chats, messages } = await this.load();
    const changes: Changes = { dropped: [], chats, messages, entries: [], removed: [] };
    const lines: Line[] = [{ changes }, ...(await this.outbox()).map((entry) => ({ entry, replaced: [] }))];
    await replaceFile(this.#path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    this.#lines = lines.length;
  }
}

/** The session in a file that nobody else may read. */
class FileSession implements SessionStore {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async load(): Promise<KeptSession | undefined> {
    const text = await readText(this.#path);
    return text === '' ? undefined : (JSON.parse(text) as KeptSession);
  }

  async save(session: KeptSession | undefined): Promise<void> {
    if (!session) return rm(this.#path, { force: true });
    await replaceFile(this.#path, JSON.stringify(session));
  }
}

/** Keeps everything in files of this folder, for one process at a time. */
export async function fileStorage(folder: string): Promise<Storage> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return {
    isPersistent: true,
    session: new FileSession(join(folder, 'session.json')),
    open: (userId): Promise<Database> => FileDatabase.open(join(folder, `user-${userId}.jsonl`)),
  };
}
