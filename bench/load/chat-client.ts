import { RawWebSocket } from './raw-socket.js';

// A Socket.IO client for the load generator.

const PATH = '/socket.io/?EIO=4&transport=websocket';
/** Callbacks for what a client receives. */
export interface ClientListener {
  onConnected(): void;
  /** A `message:created`. */
  onMessage(chatId: number, seq: number): void;
  onReceipt(): void;
  /** The answer to command `id`: the message's `seq`. */
  onAck(id: number, seq: number): void;
  /** An error ack, a protocol error, or the end of a connection that this side did not close. */
  onProblem(what: string): void;
}

/**
 * A minimal client of Engine.IO 4 and Socket.IO 5. It knows the few packets of a chat, and finds the numbers it needs by
 * a text search instead of parsing. It is the same for every server, so each server does its full work.
 */
export class ChatClient {
  private readonly socket: RawWebSocket;
  private closed = false;

  constructor(
    port: number,
    private readonly auth: string,
    private readonly listener: ClientListener,
  ) {
    this.socket = new RawWebSocket(
      port,
      PATH,
      (text) => this.handlePacket(text),
      (reason) => this.fail(reason),
    );
  }

  /** Queues a `message:send`. While a received chunk is handled it leaves by itself; otherwise call `flush`. */
  send(id: number, chatId: number, text: string, key: string): void {
    this.socket.send(`42${id}["message:send",{"chat_id":${chatId},"text":"${text}","client_message_id":"${key}"}]`);
  }

  flush(): void {
    this.socket.flush();
  }

  /** Stops reading from the connection. */
  pause(): void {
    this.socket.pause();
  }

  close(): void {
    this.closed = true;
    this.socket.destroy();
  }

  /** Handles a packet by its Engine.IO type, and after a 4 by its Socket.IO type. */
  private handlePacket(packet: string): void {
    if (packet.startsWith('42[')) this.handleEvent(packet);
    else if (packet.startsWith('43')) this.handleAck(packet);
    else if (packet.startsWith('40')) this.listener.onConnected();
    else if (packet === '2') this.socket.send('3');
    else if (packet.startsWith('0')) this.socket.send(`40${this.auth}`);
    else this.fail(`unexpected: ${packet}`);
  }

  private handleEvent(packet: string): void {
    if (packet.startsWith('"message:created"', 3)) {
      this.listener.onMessage(numberAfter(packet, '"chat_id":'), numberAfter(packet, '"seq":'));
    } else if (packet.startsWith('"read_receipt"', 3)) this.listener.onReceipt();
    else this.fail(`unexpected: ${packet}`);
  }

  private handleAck(packet: string): void {
    const open = packet.indexOf('[');
    if (packet.startsWith('{"ok":true', open + 1))
      this.listener.onAck(Number(packet.slice(2, open)), numberAfter(packet, '"seq":'));
    else this.fail(`refused: ${packet}`);
  }

  private fail(what: string): void {
    if (!this.closed) this.listener.onProblem(what);
  }
}

/** The number after a field's name. A message text can't look like a field, as its quotes are escaped. */
function numberAfter(text: string, field: string): number {
  let position = text.indexOf(field) + field.length;
  let value = 0;
  for (;;) {
    const digit = text.charCodeAt(position++) - 48;
    if (!(digit >= 0 && digit <= 9)) return value;
    value = 10 * value + digit;
  }
}
