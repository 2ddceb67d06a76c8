import { signal } from '@preact/signals-core';
import type { Account, Tokens as Pair } from '../../../src/contract/users.js';
import type { Clock } from './clock.js';
import { asChatError, signedOut } from './errors.js';
import type { Rest } from './rest.js';
import type { KeptSession, SessionStore } from './storage/storage.js';
import type { Tabs } from './tabs.js';

/** A token that is good for less than this counts as expired: it must still be good when it arrives. */
const MARGIN_MS = 10_000;

/**
 * The tokens of the session, which all tabs share: one tab refreshes, the others read what it has stored.
 *
 * A refresh stores its `client_refresh_id` first. So a lost answer, or a tab that ends before it has stored the answer,
 * logs nobody out: the next refresh sends the same two and gets the same tokens.
 */
export class Tokens {
  /** The session as this tab knows it. */
  readonly session = signal<KeptSession | undefined>(undefined);
  #renewal: Promise<KeptSession> | undefined;

  readonly #store: SessionStore;
  readonly #rest: Rest;
  readonly #tabs: Tabs;
  readonly #clock: Clock;

  constructor(store: SessionStore, rest: Rest, tabs: Tabs, clock: Clock) {
    this.#store = store;
    this.#rest = rest;
    this.#tabs = tabs;
    this.#clock = clock;
  }

  /** Reads what is stored: at the start, and when another tab has written. */
  async load(): Promise<void> {
    this.session.value = await this.#store.load();
  }

  /** Takes the tokens of a login, or with undefined forgets the session. */
  async keep(session: KeptSession | undefined): Promise<void> {
    await this.#tabs.exclusively('session', () => this.#store.save(session));
    this.#take(session);
  }

  /** Takes the account when its name has changed. */
  async keepAccount(account: Account): Promise<void> {
    await this.#tabs.exclusively('session', async () => {
      const kept = await this.#store.load();
      if (kept?.account.id !== account.id) return;
      await this.#store.save({ ...kept, account });
      this.#take({ ...kept, account });
    });
  }

  /**
   * The session with a good access token, a new one if need be.
   * @throws ChatError `signed_out`, `no_answer`, or the refusal of a refresh
   */
  async get(): Promise<KeptSession> {
    const session = this.session.value;
    if (!session) throw signedOut();
    return this.#isFresh(session) ? session : this.renew(session);
  }

  /** Other tokens than those of `failed`: some that another tab has got, or new ones. Throws as `get` does. */
  renew(failed: KeptSession): Promise<KeptSession> {
    this.#renewal ??= this.#tabs
      .exclusively('session', () => this.#refresh(failed))
      .finally(() => (this.#renewal = undefined));
    return this.#renewal;
  }

  /** The session of a pair of tokens that has just come. */
  sessionOf(account: Account, { access_token, refresh_token, expires_in }: Pair): KeptSession {
    return { account, access_token, refresh_token, expires_at: this.#clock.now() + 1_000 * expires_in };
  }

  /** How long the access token is good for, in milliseconds, less the margin. */
  lifetime(): number {
    const session = this.session.value;
    return session ? session.expires_at - this.#clock.now() - MARGIN_MS : 0;
  }

  async #refresh(failed: KeptSession): Promise<KeptSession> {
    const kept = await this.#store.load();
    if (!kept) {
      this.session.value = undefined;
      throw signedOut();
    }
    // Two access tokens of one second are the same text, but no two refresh tokens are.
    if (kept.refresh_token !== failed.refresh_token && this.#isFresh(kept)) {
      this.session.value = kept;
      return kept;
    }
    const client_refresh_id = kept.client_refresh_id ?? crypto.randomUUID();
    if (!kept.client_refresh_id) await this.#store.save({ ...kept, client_refresh_id });
    return this.#ask(kept, { refresh_token: kept.refresh_token, client_refresh_id });
  }

  async #ask(kept: KeptSession, body: { refresh_token: string; client_refresh_id: string }): Promise<KeptSession> {
    try {
      const next = this.sessionOf(kept.account, await this.#rest.call('post', '/auth/refresh', { body }));
      await this.#store.save(next);
      this.#take(next);
      return next;
    } catch (error) {
      if (asChatError(error).code !== 'unauthorized') throw error;
      await this.#store.save(undefined);
      this.#take(undefined);
      throw signedOut();
    }
  }

  #take(session: KeptSession | undefined): void {
    this.session.value = session;
    this.#tabs.tell({ kind: 'session' });
  }

  #isFresh({ expires_at }: KeptSession): boolean {
    return expires_at - this.#clock.now() > MARGIN_MS;
  }
}
