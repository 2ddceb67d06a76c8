import { Transport } from 'engine.io';
import { type RawData, WebSocket } from 'ws';
import type { AppError } from '../../common/errors/app-error.js';
import { errorFrame, closeReasonOf, notAFrame } from './plain-frames.js';
import { PlainTranslator } from './plain-translator.js';
import { toCommandError } from '../commands/socket-error.filter.js';

type Packets = Parameters<Transport['send']>[0];

/**
 * A WebSocket whose client speaks plain frames, as a transport of Engine.IO. Its heartbeat is that of the WebSocket
 * protocol. What the client is answered without Socket.IO comes as event `answer`, for the connection to send in its turn.
 */
export class PlainTransport extends Transport {
  private readonly translator: PlainTranslator;

  /** Reads nothing before `admit`. `chatId`: the one chat the connection is about; undefined for all of the user's. */
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

  /** What Engine.IO knows about this kind of transport is what it knows about websockets. */
  override get name(): string {
    return 'websocket';
  }

  /** Joins Socket.IO's default namespace with this token; without one the `Authorization` header has to do. */
  join(token: string | undefined): void {
    this.onPacket({ type: 'message', data: `0${JSON.stringify({ token })}` });
  }

  /** Starts to read what the client has to say. */
  admit(): void {
    this.socket.resume();
  }

  /** Closes the connection for this reason. */
  refuse({ code }: AppError): void {
    this.translator.end(closeReasonOf(code));
    this.close(() => this.onClose());
  }

  override send(packets: Packets): void {
    this.writable = false;
    const frames = this.framesOf(packets);
    frames.forEach((frame, index) => {
      const isLast = index + 1 === frames.length;
      this.socket.send(frame, isLast ? (error) => this.onSent(error) : undefined);
    });
    if (frames.length === 0) this.onSent();
    // Not within the call that sends: Socket.IO may be about to close it itself, or be in the middle of a broadcast.
    if (this.translator.ended) process.nextTick(() => this.close(() => this.onClose()));
  }

  override doClose(done?: () => void): void {
    const { code, reason } = this.translator.closeReason;
    this.socket.close(code, reason);
    this.socket.resume(); // The client's part of the farewell has to be read, too.
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

  /** A packet of Socket.IO starts with a digit; what starts with a brace is an answer of ours, and a frame already. */
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
    const result = isBinary ? NOT_TEXT : this.translator.fromClient((data as Buffer).toString());
    if ('answer' in result) this.emit('answer', result.answer);
    else this.onPacket({ type: 'message', data: result.packet });
  }
}

const NOT_TEXT = { answer: errorFrame(toCommandError(notAFrame())) };
