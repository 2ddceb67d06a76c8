import { Transport } from 'engine.io';
import { type RawData, WebSocket } from 'ws';
import type { AppError } from '../../common/errors/app-error.js';
import { errorFrame, closeReasonOf, keyOf, notAFrame } from './plain-frames.js';
import { PlainTranslator, type Translated } from './plain-translator.js';
import { toCommandError } from '../commands/socket-error.filter.js';
import { MAX_COMMAND_BYTES, PAYLOAD_TOO_LARGE } from '../commands/too-large.js';

type Packets = Parameters<Transport['send']>[0];

/**
 * A transport of Engine.IO for a WebSocket whose client sends plain frames. `PlainWebSocketServer` makes one for each
 * connection; Engine.IO calls `send` and `doClose`. Its heartbeat is that of the WebSocket protocol.
 *
 * It reads nothing before `admit`. An answer that does not come from Socket.IO is emitted as the event `answer`; the
 * connection must send it with `write`, so that it keeps its place among the packets.
 */
export class PlainTransport extends Transport {
  private readonly translator: PlainTranslator;

  /** `chatId`: the one chat that the connection is about; undefined for all chats of the user. */
  constructor(
    private readonly socket: WebSocket,
    readonly chatId: number | undefined,
  ) {
    super({ _query: { EIO: '4' } });
    this.translator = new PlainTranslator(chatId);
    this.writable = true;
    socket.pause();
    socket.on('message', (data, isBinary) => this.receive(data, isBinary));
    socket.on('pong', () => this.onPacket({ type: 'pong' }));
    socket.on('error', ({ message }) => this.onError(message));
    socket.once('close', () => this.onClose());
  }

  /** Engine.IO must treat this transport as a websocket, and knows it by this name. */
  override get name(): string {
    return 'websocket';
  }

  /**
   * Joins Socket.IO's default namespace with this token; without it, `HandshakeService` takes the `Authorization`
   * header.
   */
  join(token: string | undefined): void {
    this.onPacket({ type: 'message', data: `0${JSON.stringify({ token })}` });
  }

  /** Starts to read frames. Call it after the socket has joined, and its membership is checked. */
  admit(): void {
    this.socket.resume();
  }

  /** Closes the connection with the close code of this error. */
  refuse({ code }: AppError): void {
    this.translator.end(closeReasonOf(code));
    this.close(() => this.onClose());
  }

  /** Sends the frames for these packets; emits `drain` and `ready` when the kernel has taken them. */
  override send(packets: Packets): void {
    this.writable = false;
    const frames = this.framesOf(packets);
    frames.forEach((frame, index) => {
      const isLast = index + 1 === frames.length;
      this.socket.send(frame, isLast ? (error) => this.onSent(error) : undefined);
    });
    if (frames.length === 0) this.onSent();
    // Don't close during `send`: Socket.IO may be in the middle of a broadcast, or about to close the connection
    // itself.
    if (this.translator.ended) process.nextTick(() => this.close(() => this.onClose()));
  }

  override doClose(done?: () => void): void {
    const { code, reason } = this.translator.closeReason;
    this.socket.close(code, reason);
    this.socket.resume(); // The client's close frame must be read, too.
    done?.();
  }

  private framesOf(packets: Packets): string[] {
    const frames: string[] = [];
    for (const { type, data } of packets) {
      if (this.translator.ended || this.socket.readyState !== WebSocket.OPEN) break;
      if (type === 'ping') this.socket.ping();
      const frame = type === 'message' ? this.frameOf(data as string) : undefined;
      if (frame !== undefined) frames.push(frame);
    }
    return frames;
  }

  /**
   * A packet of Socket.IO starts with a digit. Data that starts with a brace is an answer of ours, which is a frame
   * already.
   */
  private frameOf(data: string): string | undefined {
    return data.startsWith('{') ? data : this.translator.toClient(data);
  }

  private onSent(error?: Error | null): void {
    if (error) return this.onError('write error', error.message);
    this.emit('drain');
    this.writable = true;
    this.emit('ready');
  }

  private receive(data: RawData, isBinary: boolean): void {
    if (this.readyState !== 'open') return;
    const result = isBinary ? NOT_TEXT : this.translate(data as Buffer);
    if ('answer' in result) this.emit('answer', result.answer);
    else this.onPacket({ type: 'message', data: result.packet });
  }

  private translate(data: Buffer): Translated {
    if (data.length > MAX_COMMAND_BYTES) return { answer: errorFrame(PAYLOAD_TOO_LARGE, keyOf(data)) };
    return this.translator.fromClient(data.toString());
  }
}

const NOT_TEXT = { answer: errorFrame(toCommandError(notAFrame())) };
