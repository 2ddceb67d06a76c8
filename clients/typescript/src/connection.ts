import { effect, signal } from '@preact/signals-core';
import { io, type Socket } from 'socket.io-client';
import type { CommandError } from '../../../src/contract/errors.js';
import type { Ack, ClientToServerEvents, ServerToClientEvents } from '../../../src/contract/events.js';
import { Backoff, type Clock, Timer } from './clock.js';
import { asChatError, ChatError, noAnswer, refused } from './errors.js';
import { isRefusedToken } from './session.js';
import type { KeptSession } from './storage/storage.js';
import type { Tokens } from './tokens.js';

/** `waiting` for the next try to connect. */
export type ConnectionStatus = 'offline' | 'connecting' | 'connected' | 'waiting';

type CommandName = keyof ClientToServerEvents;
type PayloadOf<C extends CommandName> = Parameters<ClientToServerEvents[C]>[0];
type DataOf<C extends CommandName> =
  Extract<Parameters<Parameters<ClientToServerEvents[C]>[1]>[0], { ok: true }> extends { data: infer Data }
    ? Data
    : never;

/** The connection ended before the answer came. */
export class ConnectionCut extends ChatError {
  constructor() {
    super('no_answer', 'The connection was cut.', { retryable: true });
  }
}

/** What the connection tells of. */
export interface ConnectionListener {
  connected(): void;
  event(name: keyof ServerToClientEvents, payload: object): void;
}

const ANSWER_WITHIN_MS = 10_000;

/** The socket of a user: it connects again by itself, brings a good token each time, and renews it before it runs out. */
export class Connection {
  readonly status = signal<ConnectionStatus>('offline');
  private readonly socket: Socket<ServerToClientEvents, ClientToServerEvents>;
  readonly #retry: Timer;
  readonly #renewal: Timer;
  readonly #backoff: Backoff;
  readonly #unanswered = new Set<(error: ChatError) => void>();
  /** The session whose token the socket has brought last. */
  #brought: KeptSession | undefined;
  /** How long a server that stops has asked to wait. */
  #drainMs: number | undefined;
  /** The server has asked for the pause that is kept. */
  #isAsked = false;
  /** We end the connection ourselves. */
  #isLeaving = false;
  readonly #unwatch: () => void;

  readonly #tokens: Tokens;
  readonly #clock: Clock;
  readonly #listener: ConnectionListener;

  constructor(url: string, tokens: Tokens, clock: Clock, listener: ConnectionListener) {
    this.#tokens = tokens;
    this.#clock = clock;
    this.#listener = listener;
    this.#retry = new Timer(clock);
    this.#renewal = new Timer(clock);
    this.#backoff = new Backoff(clock);
    // With WebSockets first, several nodes behind a proxy need no sticky sessions. We reconnect ourselves.
    const transports = ['websocket', 'polling'];
    const options = { transports, tryAllTransports: true, reconnection: false, autoConnect: false, forceNew: true };
    this.socket = io(url, { ...options, auth: (put) => put({ token: this.#brought?.access_token }) });
    this.socket.on('connect', () => this.#onConnect());
    this.socket.on('connect_error', (error) => void this.#onRefused((error as { data?: CommandError }).data));
    this.socket.on('disconnect', () => this.#onDisconnect());
    this.socket.on('auth:expired', () => this.#renew());
    this.socket.on('session:revoked', () => this.#renew());
    this.socket.on('server:draining', ({ reconnect_in_ms }) => (this.#drainMs = reconnect_in_ms));
    this.socket.onAny((name: keyof ServerToClientEvents, payload: object) => listener.event(name, payload));
    this.#unwatch = effect(() => this.#onSession(tokens.session.value));
  }

  /** Connects now: at the start, and when there is hope again. */
  connect(): void {
    if (this.status.peek() === 'connecting' || this.status.peek() === 'connected') return;
    this.#retry.clear();
    this.status.value = 'connecting';
    void this.#open();
  }

  /** Connects now and not later, after sleep or when the network is back; unless the server has asked to wait. */
  wake(): void {
    if (this.status.peek() !== 'waiting' || this.#isAsked) return;
    this.#backoff.reset();
    this.connect();
  }

  /** Cuts a connection from which no answer comes, and opens another one. */
  reconnect(): void {
    if (this.status.peek() !== 'connected') return;
    this.#isLeaving = true;
    this.socket.disconnect();
  }

  close(): void {
    this.status.value = 'offline';
    this.#unwatch();
    this.#retry.clear();
    this.#renewal.clear();
    this.#isLeaving = true;
    this.socket.offAny().off();
    this.socket.disconnect();
    this.#endUnanswered();
  }

  /**
   * Sends a command once, and resolves with the data of its ack.
   * @throws ChatError the refusal, `no_answer`, or as a `ConnectionCut` that the connection has ended meanwhile
   */
  request<C extends CommandName>(command: C, payload: PayloadOf<C>): Promise<DataOf<C>> {
    if (this.status.peek() !== 'connected') return Promise.reject(noAnswer());
    return new Promise((resolve, reject) => {
      const timer = new Timer(this.#clock);
      const end = (): void => {
        timer.clear();
        this.#unanswered.delete(fail);
      };
      const fail = (error: ChatError): void => {
        end();
        reject(error);
      };
      this.#unanswered.add(fail);
      timer.set(ANSWER_WITHIN_MS, () => fail(noAnswer()));
      const answer = (ack: Ack<DataOf<C>>): void => {
        end();
        if (ack.ok) resolve(ack.data);
        else reject(refused(ack.error));
      };
      (this.socket as Socket).emit(command, payload, answer);
    });
  }

  async #open(): Promise<void> {
    try {
      const session = await this.#tokens.get();
      if (this.status.peek() !== 'connecting') return;
      this.#brought = session;
      this.#drainMs = undefined;
      this.#isLeaving = false;
      this.socket.connect();
    } catch (error) {
      this.#connectLater(asChatError(error).retryAfterMs);
    }
  }

  #onConnect(): void {
    this.#backoff.reset();
    this.#renewLater();
    this.status.value = 'connected';
    this.#listener.connected();
  }

  /** A refusal has an error; without one, the server wasn't reached or has refused the handshake. */
  async #onRefused(error: CommandError | undefined): Promise<void> {
    if (!error || !this.#brought || !isRefusedToken(refused(error))) {
      this.#connectLater(error?.retry_after_ms);
      return;
    }
    // A session that has ended is forgotten here; otherwise there is a new token for the next try.
    await this.#tokens.renew(this.#brought).catch(() => undefined);
    this.#connectLater();
  }

  #onDisconnect(): void {
    this.#renewal.clear();
    this.#connectLater();
    this.#endUnanswered();
  }

  #connectLater(retryAfterMs?: number): void {
    if (this.status.peek() === 'offline') return;
    this.#isAsked = (this.#drainMs ?? retryAfterMs) !== undefined;
    this.status.value = 'waiting';
    this.#retry.set(this.#drainMs ?? this.#backoff.next(retryAfterMs), () => this.connect());
  }

  #endUnanswered(): void {
    const wasCut = this.#drainMs === undefined && !this.#isLeaving;
    for (const fail of [...this.#unanswered]) fail(wasCut ? new ConnectionCut() : noAnswer());
  }

  /** Another tab, or this one, has got new tokens. */
  #onSession(session: KeptSession | undefined): void {
    if (!session || this.status.peek() !== 'connected' || session === this.#brought) return;
    this.#brought = session;
    this.request('auth:refresh', { token: session.access_token }).then(
      () => this.#renewLater(),
      () => this.reconnect(),
    );
  }

  #renewLater(): void {
    this.#renewal.set(this.#tokens.lifetime(), () => this.#renew());
  }

  /** Gets a new token, which `onSession` brings; or finds that the session has ended. */
  #renew(): void {
    // Without an answer the server cuts the socket in the end, and the next connection brings a new token.
    if (this.#brought) this.#tokens.renew(this.#brought).catch(() => undefined);
  }
}
