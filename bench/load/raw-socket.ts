import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

// A minimal WebSocket client for the load generator.

/** The mask that the protocol requires of clients. One key for all frames is enough here. */
const MASK = randomBytes(4);
const TEXT = 0x1;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;
const FIN = 0x80;

/** All sockets read into this buffer: each chunk is handled before the next one is read. */
const SHARED_BUFFER = Buffer.allocUnsafe(256 * 1024);

/**
 * The client side of a WebSocket (RFC 6455) with low overhead: text frames, no allocation for received data, and one
 * write for all frames that are sent in answer to a chunk.
 */
export class RawWebSocket {
  private readonly socket: Socket;
  private open = false;
  private rest: Buffer | undefined;
  private outgoing: string[] = [];

  /**
   * `onText` gets each text decoded as Latin-1: its users search for ASCII only. `localAddress` is the address to connect
   * from.
   */
  constructor(
    port: number,
    path: string,
    private readonly onText: (text: string) => void,
    private readonly onEnd: (reason: string) => void,
    localAddress?: string,
  ) {
    this.socket = connect({
      port,
      host: '127.0.0.1',
      localAddress,
      noDelay: true,
      onread: {
        buffer: SHARED_BUFFER,
        callback: (length, buffer) => {
          this.read(buffer as Buffer, length);
          return true;
        },
      },
    });
    this.socket.on('error', (error) => onEnd(error.message));
    this.socket.on('close', () => onEnd('closed'));
    this.socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    );
  }

  /** Queues an ASCII text. It is written after the current chunk, or by `flush`, but not before the upgrade. */
  send(text: string): void {
    this.outgoing.push(text);
  }

  /** Writes the queued texts at once. */
  flush(): void {
    const texts = this.outgoing;
    if (!this.open || texts.length === 0) return;
    this.outgoing = [];
    this.socket.write(texts.length === 1 ? frameOf(texts[0]!) : Buffer.concat(texts.map(frameOf)));
  }

  /** Stops reading from the connection. */
  pause(): void {
    this.socket.pause();
  }

  destroy(): void {
    this.socket.destroy();
  }

  private read(shared: Buffer, length: number): void {
    let buffer = shared;
    let end = length;
    if (this.rest) {
      buffer = Buffer.concat([this.rest, shared.subarray(0, length)]);
      end = buffer.length;
      this.rest = undefined;
    }
    const done = this.open ? this.readFrames(buffer, 0, end) : this.readUpgrade(buffer, end);
    if (done < end) this.rest = Buffer.from(buffer.subarray(done, end));
    this.flush();
  }

  /** Reads the answer to the upgrade and the frames after it. Returns the position up to which it has read. */
  private readUpgrade(buffer: Buffer, end: number): number {
    const head = buffer.toString('latin1', 0, end);
    const length = head.indexOf('\r\n\r\n');
    if (length < 0) return 0;
    if (!head.startsWith('HTTP/1.1 101')) {
      this.onEnd(`the upgrade was refused: ${head.slice(0, head.indexOf('\r\n'))}`);
      return end;
    }
    this.open = true;
    return this.readFrames(buffer, length + 4, end);
  }

  /** Reads complete frames. Returns the position up to which it has read. */
  private readFrames(buffer: Buffer, from: number, end: number): number {
    let position = from;
    while (end - position >= 2) {
      let length = buffer[position + 1]!;
      let start = position + 2;
      if (length === 126) {
        if (end - position < 4) break;
        length = buffer.readUInt16BE(start);
        start += 2;
      } else if (length === 127) {
        if (end - position < 10) break;
        length = Number(buffer.readBigUInt64BE(start));
        start += 8;
      }
      if (start + length > end) break;
      this.handleFrame(buffer[position]!, buffer, start, start + length);
      position = start + length;
    }
    return position;
  }

  private handleFrame(head: number, buffer: Buffer, start: number, end: number): void {
    if (head === (FIN | TEXT)) this.onText(buffer.toString('latin1', start, end));
    else if (head === (FIN | PING)) this.socket.write(frame(PONG, buffer.toString('latin1', start, end)));
    else if (head === (FIN | CLOSE)) this.onEnd('the server closed the connection');
    else this.onEnd(`a frame of kind ${head} isn't expected here`);
  }
}

const frameOf = (text: string): Buffer => frame(TEXT, text);

function frame(opcode: number, text: string): Buffer {
  const { length } = text;
  const headLength = length < 126 ? 6 : 8;
  const bytes = Buffer.allocUnsafe(headLength + length);
  bytes[0] = FIN | opcode;
  if (length < 126) bytes[1] = 0x80 | length;
  else {
    bytes[1] = 0x80 | 126;
    bytes.writeUInt16BE(length, 2);
  }
  MASK.copy(bytes, headLength - 4);
  for (let i = 0; i < length; i++) bytes[headLength + i] = text.charCodeAt(i) ^ MASK[i & 3]!;
  return bytes;
}
