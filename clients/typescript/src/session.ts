import { computed } from '@preact/signals-core';
import type { Account, Session as Device } from '../../../src/contract/users.js';
import { asChatError, type ChatError, signedOut } from './errors.js';
import { type Observable, observe } from './observable.js';
import type { AnswerOf, Method, PathOf, RequestOf, Rest } from './rest.js';
import type { Tokens } from './tokens.js';

/** What the session asks of the rest of the client. */
export interface SessionDevice {
  /** Resolves when what is stored of the person is taken up. */
  ready(): Promise<void>;
  /** Deletes what is stored of the person. */
  forget(): Promise<void>;
}

/** The person who is signed in, and their sessions on all devices. Tokens are refreshed by themselves, once for all tabs. */
export class Session {
  /** Who is signed in; undefined when nobody is, or no longer. */
  readonly account: Observable<Account | undefined>;

  readonly #tokens: Tokens;
  readonly #rest: Rest;
  readonly #device: SessionDevice;

  constructor(tokens: Tokens, rest: Rest, device: SessionDevice) {
    this.#tokens = tokens;
    this.#rest = rest;
    this.#device = device;
    this.account = observe(computed(() => tokens.session.value?.account));
  }

  /**
   * Makes an account, and signs in.
   * @throws ChatError `email_taken`, `validation_failed`
   */
  async register(name: string, email: string, password: string): Promise<Account> {
    await this.#rest.call('post', '/auth/register', { body: { name, email, password } });
    return this.login(email, password);
  }

  /** @throws ChatError `invalid_credentials`, `rate_limited` */
  async login(email: string, password: string): Promise<Account> {
    const form = { username: email, password };
    const pair = await this.#rest.call('post', '/auth/login', { form });
    const account = await this.#rest.call('get', '/auth/me', { token: pair.access_token });
    await this.#tokens.keep(this.#tokens.sessionOf(account, pair));
    await this.#device.ready();
    return account;
  }

  /**
   * Ends the session, and deletes what this device holds, the outbox too. Without an answer of the server the device
   * forgets the session all the same: `list` of another device shows it, and can end it.
   */
  async logout(): Promise<void> {
    await this.request('post', '/auth/logout', {}).catch(() => undefined);
    await this.#device.forget();
    await this.#tokens.keep(undefined);
  }

  /** The sessions of the person, one for each device. */
  list(): Promise<Device[]> {
    return this.request('get', '/auth/sessions', {});
  }

  /** Ends a session by its id. */
  async end(id: string): Promise<void> {
    await this.request('delete', '/auth/sessions/{id}', { ids: { id } });
  }

  /** Ends all sessions but this one. */
  async endOthers(): Promise<void> {
    await this.request('delete', '/auth/sessions', {});
  }

  /**
   * Changes the password, and ends all sessions but this one.
   * @throws ChatError `invalid_credentials`, `validation_failed`
   */
  async changePassword(current_password: string, new_password: string): Promise<void> {
    await this.request('post', '/auth/password', { body: { current_password, new_password } });
  }

  /** Changes one's own name. */
  async rename(name: string): Promise<Account> {
    const account = await this.request('patch', '/users/me', { body: { name } });
    await this.#tokens.keepAccount(account);
    return account;
  }

  /**
   * Any call of the REST API, as the person who is signed in.
   * @throws ChatError the code of the refusal, `no_answer`, or `signed_out`
   */
  async request<M extends Method, P extends PathOf<M>>(
    method: M,
    path: P,
    request: RequestOf<M, P>,
  ): Promise<AnswerOf<M, P>> {
    const session = await this.#tokens.get();
    try {
      return await this.#rest.call(method, path, { ...request, token: session.access_token });
    } catch (error) {
      if (!isRefusedToken(asChatError(error))) throw error;
      return this.#rest.call(method, path, { ...request, token: (await this.#tokens.renew(session)).access_token });
    }
  }

  /** The id of the person who is signed in. */
  get userId(): number {
    const id = this.#tokens.session.value?.account.id;
    if (id === undefined) throw signedOut();
    return id;
  }
}

/** A new token may be taken: this one has run out, or what it was signed with is another one now. */
export const isRefusedToken = ({ code }: ChatError): boolean => code === 'token_expired' || code === 'unauthorized';
