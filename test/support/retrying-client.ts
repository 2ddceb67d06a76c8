import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import type { Ack, ClientToServerEvents, ServerToClientEvents } from '../../src/contract/events.js';
import type { Message } from '../../src/contract/messages.js';
import type { News, SyncRequest } from '../../src/contract/sync.js';
import { Replica } from './replica.js';

/** How long it waits for an ack before it sends again with the same key. */
const ACK_TIMEOUT_MS = 2_000;
/** The pause between two attempts, and between two messages. */
const PAUSE_MS = 20;

/**
 * A client as the documentation recommends: the default settings of socket.io-client, the same key in every attempt, and
 * `sync` after each connect.
 */
export class RetryingClient {
  readonly socket: Socket<ServerToClientEvents, ClientToServerEvents>;
  readonly replica: Replica;
  /** The `seq` of each acked message, by its key. */
  readonly acked = new Map<string, number>();
  /** The `reconnect_in_ms` of each `server:draining`. */
  readonly reconnectDelays: number[] = [];
  /** The reason of each disconnect. */
  readonly disconnects: string[] = [];

  constructor(
    url: string,
    private readonly user: { id: number; token: string },
    private readonly chatId: number,
  ) {
    this.replica = new Replica(user.id);
    this.socket = io(url, { auth: { token: user.token }, forceNew: true });
    this.socket.onAny((event: string, payload: unknown) => this.replica.apply(event, payload));
    this.socket.on('connect', () => void this.catchUp().catch(() => undefined));
    this.socket.on('disconnect', (reason) => this.disconnects.push(reason));
    this.socket.on('server:draining', ({ reconnect_in_ms }) => this.reconnectDelays.push(reconnect_in_ms));
  }

  /** Resolves when the socket is connected. */
  connected(): Promise<void> {
    if (this.socket.connected) return Promise.resolve();
    return new Promise((resolve) => this.socket.once('connect', resolve));
  }

  /** Sends one message until it is acked. `isOver` makes it give up between two attempts. */
  async send(isOver: () => boolean = () => false): Promise<void> {
    const command = { chat_id: this.chatId, text: 'Hello!', client_message_id: randomUUID() };
    while (!isOver()) {
      const ack = await this.ask('message:send', command).catch(() => undefined);
      if (ack?.ok) {
        this.acked.set(command.client_message_id, (ack.data as Message).seq);
        return;
      }
      if (ack && !ack.error.retryable) throw new Error(ack.error.code);
      await pause(PAUSE_MS);
    }
  }

  /** Sends messages, `inFlight` at once, until `isOver`. */
  async keepSending(inFlight: number, isOver: () => boolean): Promise<void> {
    const loop = async (): Promise<void> => {
      while (!isOver()) {
        await this.send(isOver);
        await pause(PAUSE_MS);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, loop));
  }

  async catchUp(): Promise<void> {
    await this.replica.catchUp(async (request: SyncRequest) => {
      const ack = await this.ask('sync', request);
      if (!ack.ok) throw new Error(ack.error.code);
      return ack.data as News;
    });
  }

  private async ask(command: string, payload: object): Promise<Ack<unknown>> {
    return (await (this.socket as Socket).timeout(ACK_TIMEOUT_MS).emitWithAck(command, payload)) as Ack<unknown>;
  }
}
