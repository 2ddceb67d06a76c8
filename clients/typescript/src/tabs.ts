/** What tabs tell each other. They read the rest in the storage. */
export type TabNews =
  /** There are other tokens, or none. */
  | { readonly kind: 'session' }
  /** The outbox of this user is another one. */
  | { readonly kind: 'outbox'; readonly user_id: number };

/** The part of `navigator.locks` that is used here. */
export interface Locks {
  request<T>(name: string, options: { signal?: AbortSignal }, work: () => Promise<T>): Promise<T>;
}

/** The part of a `BroadcastChannel` that is used here. */
export interface Channel {
  postMessage(news: TabNews): void;
  onmessage: ((event: { data: TabNews }) => void) | null;
  close(): void;
}

/** What ties the tabs of one browser together. Without it each client is alone. */
export interface TabLinks {
  readonly locks: Locks;
  openChannel(name: string): Channel;
}

/** Locks within one client. */
class OwnLocks implements Locks {
  readonly #queues = new Map<string, Promise<unknown>>();

  request<T>(name: string, _options: object, work: () => Promise<T>): Promise<T> {
    const turn = (this.#queues.get(name) ?? Promise.resolve()).then(work);
    this.#queues.set(
      name,
      turn.catch(() => undefined),
    );
    return turn;
  }
}

/** The links of a browser; undefined where it has none, as in Node. */
export function browserLinks(): TabLinks | undefined {
  const locks = (globalThis.navigator as { locks?: Locks } | undefined)?.locks;
  if (!locks || typeof window === 'undefined') return undefined;
  return { locks, openChannel: (name) => new BroadcastChannel(name) as Channel };
}

/** The other tabs with the same storage: the locks that all share, and the news between them. */
export class Tabs {
  /** Called with what another tab tells. */
  onNews: (news: TabNews) => void = () => undefined;
  readonly #locks: Locks;
  readonly #channel: Channel | undefined;
  readonly #end = new AbortController();

  readonly #name: string;

  /** `name` is that of the storage. */
  constructor(name: string, links: TabLinks | undefined) {
    this.#name = name;
    this.#locks = links?.locks ?? new OwnLocks();
    this.#channel = links?.openChannel(name);
    if (this.#channel) this.#channel.onmessage = ({ data }) => this.onNews(data);
  }

  /** Does the work while no other tab does any of the same name. */
  exclusively<T>(what: string, work: () => Promise<T>): Promise<T> {
    return this.#locks.request(`${this.#name}:${what}`, { signal: this.#end.signal }, work);
  }

  /**
   * Calls `lead` when this tab is the only leader for the user, and no other one can become it. Returns the way to
   * resign.
   */
  becomeLeader(userId: number, lead: () => void): () => void {
    let resign = (): void => undefined;
    const resigned = new Promise<void>((resolve) => (resign = resolve));
    const abort = new AbortController();
    const begin = (): Promise<void> => {
      if (!abort.signal.aborted) lead();
      return resigned;
    };
    // Rejects when it is aborted while it waits.
    this.#locks.request(`${this.#name}:leader:${userId}`, { signal: abort.signal }, begin).catch(() => undefined);
    return () => {
      abort.abort();
      resign();
    };
  }

  tell(news: TabNews): void {
    this.#channel?.postMessage(news);
  }

  close(): void {
    this.#end.abort();
    this.#channel?.close();
  }
}
