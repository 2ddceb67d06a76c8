import { io, type Socket } from 'socket.io-client';
import type { Ack, ClientToServerEvents, ServerToClientEvents } from '../../src/contract/events.js';

const TIMEOUT_MS = 10_000;

type ServerEvent = keyof ServerToClientEvents;
type PayloadOf<E extends ServerEvent> = Parameters<ServerToClientEvents[E]>[0];
type CommandName = keyof ClientToServerEvents;
type AckOf<C extends CommandName> = Parameters<Parameters<ClientToServerEvents[C]>[1]>[0];

interface Waiter {
  matches: () => boolean;
  resolve: () => void;
}

/** A real socket.io-client that records every event it receives, in order. */
export class Device {
  readonly received: { event: ServerEvent; payload: any }[] = [];
  private readonly waiters = new Set<Waiter>();

  private constructor(readonly socket: Socket<ServerToClientEvents, ClientToServerEvents>) {
    socket.onAny((event: ServerEvent, payload: unknown) => {
      this.received.push({ event, payload });
      for (const waiter of this.waiters) if (waiter.matches()) waiter.resolve();
    });
  }

  /** Connects, or rejects with the `connect_error`. */
  static async connect(url: string, token: string | undefined, transports = ['websocket']): Promise<Device> {
    const socket = io(url, {
      auth: token === undefined ? {} : { token },
      transports,
      forceNew: true,
      reconnection: false,
    });
    const device = new Device(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
    }).catch((error: unknown) => {
      socket.close();
      throw error;
    });
    return device;
  }

  /** Sends a command and resolves with its ack. */
  async command<C extends CommandName>(name: C, payload: Parameters<ClientToServerEvents[C]>[0]): Promise<AckOf<C>> {
    return await this.raw(name, payload);
  }

  /** Emits any event with any arguments, also invalid ones, and resolves with the ack. */
  async raw(name: string, ...args: unknown[]): Promise<Ack<any>> {
    return (await (this.socket as Socket).timeout(TIMEOUT_MS).emitWithAck(name, ...args)) as Ack<any>;
  }

  /** All payloads of an event received so far. */
  all<E extends ServerEvent>(event: E): PayloadOf<E>[] {
    return this.received.filter((one) => one.event === event).map(({ payload }) => payload as PayloadOf<E>);
  }

  /** Resolves with the first payload of the event for which `fits` is true, already received or not. */
  async next<E extends ServerEvent>(
    event: E,
    fits: (payload: PayloadOf<E>) => boolean = () => true,
  ): Promise<PayloadOf<E>> {
    await this.until(
      () => this.all(event).some(fits),
      `${event} in ${JSON.stringify(this.received.map((one) => one.event))}`,
    );
    return this.all(event).find(fits)!;
  }

  /** Resolves as soon as the received events make `matches` true. Rejects after ten seconds. */
  async until(matches: () => boolean, what = 'the events waited for'): Promise<void> {
    if (matches()) return;
    let waiter: Waiter;
    let timer: NodeJS.Timeout;
    try {
      await new Promise<void>((resolve, reject) => {
        timer = setTimeout(() => reject(new Error(`not received within ${TIMEOUT_MS} ms: ${what}`)), TIMEOUT_MS);
        this.waiters.add((waiter = { matches, resolve }));
      });
    } finally {
      clearTimeout(timer!);
      this.waiters.delete(waiter!);
    }
  }

  /** Resolves with the reason when the socket is disconnected. */
  disconnected(): Promise<string> {
    return new Promise((resolve) => this.socket.once('disconnect', resolve));
  }

  close(): void {
    this.socket.close();
  }
}
