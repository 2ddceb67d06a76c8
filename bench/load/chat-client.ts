import { RawWebSocket } from './raw-socket.js';

const PATH = '/socket.io/?EIO=4&transport=websocket';
/** What a client tells of; unset ones are of no interest. */
export interface ClientListener {
  onConnected(): void;
  /** A `message:created`. */
  onMessage(chatId: number, seq: number): void;
  onReceipt(): void;
  /** The answer to command `id`: the message's `seq`. */
  onAck(id: number, seq: number): void;
  /** A refusal, an error or the end of the connection, unless it was closed from this side. */
  onProblem(what: string): void;
}

/**
 * A client of engine.io 4 and Socket.IO 5, by hand: it knows the few packets that a chat consists of and takes from them,
 * by a search in the text, the numbers that count. The same for every server, so none is spared its work.
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
      (text) => this.take(text),
      (reason) => this.fail(reason),
    );
  }

  /** Queues a `message:send`. What is sent while a chunk is dealt with leaves by itself; otherwise call `flush`. */
  send(id: number, chatId: number, text: string, key: string): void {
    this.socket.send(`42${id}["message:send",{"chat_id":${chatId},"text":"${text}","client_message_id":"${key}"}]`);
  }

  flush(): void {
    this.socket.flush();
  }

  /** Reads no more, whatever comes. */
  pause(): void {
    this.socket.pause();
  }

  close(): void {
    this.closed = true;
    this.socket.destroy();
  }

  /** By the types of engine.io's packets, and behind a 4 those of Socket.IO. */
  private take(packet: string): void {
    if (packet.startsWith('42[')) this.takeEvent(packet);
    else if (packet.startsWith('43')) this.takeAck(packet);
    else if (packet.startsWith('40')) this.listener.onConnected();
    else if (packet === '2') this.socket.send('3');
    else if (packet.startsWith('0')) this.socket.send(`40${this.auth}`);
    else this.fail(`unexpected: ${packet}`);
  }

  private takeEvent(packet: string): void {
    if (packet.startsWith('"message:created"', 3)) {
      this.listener.onMessage(numberAfter(packet, '"chat_id":'), numberAfter(packet, '"seq":'));
    } else if (packet.startsWith('"read_receipt"', 3)) this.listener.onReceipt();
    else this.fail(`unexpected: ${packet}`);
  }

  private takeAck(packet: string): void {
    const open = packet.indexOf('[');
    if (packet.startsWith('{"ok":true', open + 1))
      this.listener.onAck(Number(packet.slice(2, open)), numberAfter(packet, '"seq":'));
    else this.fail(`refused: ${packet}`);
  }

  private fail(what: string): void {
    if (!this.closed) this.listener.onProblem(what);
  }
}

/** The number behind a field's name. Its own quotes are escaped in the text of a message, so no text can look like one. */
function numberAfter(text: string, field: string): number {
  let position = text.indexOf(field) + field.length;
  let value = 0;
  for (;;) {
    const digit = text.charCodeAt(position++) - 48;
    if (!(digit >= 0 && digit <= 9)) return value;
    value = 10 * value + digit;
  }
}
