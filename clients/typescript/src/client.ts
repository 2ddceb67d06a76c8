import { type Clock, systemClock } from './clock.js';
import { Rest } from './rest.js';
import { Session } from './session.js';
import type { SessionStore, Storage } from './storage/storage.js';
import { browserLinks, type TabLinks, Tabs } from './tabs.js';
import { Tokens } from './tokens.js';

/** What a client is made of. */
export interface ClientOptions {
  /** The address of the server, such as `https://chat.example.org`. */
  readonly url: string;
  /** Where the session is kept. */
  readonly storage: Storage;
  /** Keeps the tokens elsewhere than the storage does. */
  readonly tokens?: SessionStore;
  /** By default that of the system. */
  readonly clock?: Clock;
  /** By default the Web Locks and BroadcastChannel of the browser; a client without them is alone. */
  readonly tabs?: TabLinks;
  /** By default the global one. */
  readonly fetch?: typeof fetch;
}

/** A client of one server, for one person at a time. Make it with `createClient`. */
export class Client {
  readonly session: Session;
  private readonly rest: Rest;
  private readonly tabs: Tabs;
  private readonly tokens: Tokens;

  constructor({ url, storage, tokens, clock = systemClock, tabs, fetch = globalThis.fetch }: ClientOptions) {
    const origin = url.replace(/\/$/, '');
    this.rest = new Rest(origin, (...request) => fetch(...request), clock);
    this.tabs = new Tabs(`windi-chat:${origin}`, tabs ?? browserLinks());
    this.tokens = new Tokens(tokens ?? storage.session, this.rest, this.tabs, clock);
    this.session = new Session(this.tokens, this.rest);
    this.tabs.onNews = ({ kind }) => {
      if (kind === 'session') void this.tokens.load();
    };
  }

  /** Takes up what the storage holds. */
  async open(): Promise<void> {
    await this.tokens.load();
  }

  /** Leaves nothing behind that runs: no timer, no connection, no lock. What is stored stays. */
  close(): void {
    this.tabs.close();
    this.rest.close();
  }
}

/** Makes a client, and takes up what its storage holds: whoever was signed in still is. */
export async function createClient(options: ClientOptions): Promise<Client> {
  const client = new Client(options);
  await client.open();
  return client;
}
