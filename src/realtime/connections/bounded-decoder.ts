import { Decoder, isPacketValid, type Packet, PacketType } from 'socket.io-parser';
import { MAX_COMMAND_BYTES, TOO_LARGE } from '../commands/too-large.js';

/** The beginning of an event, `2<ack id>["<name>"`. */
const BEGINNING = /^2(\d*)\[\s*"([^"\\]{1,64})"/;

/** What is left of an attachment that is too large. */
const NO_BYTES = Buffer.alloc(0);

/**
 * Socket.IO's decoder, which doesn't parse what is larger than a command may be. Such an event gets the payload
 * `TOO_LARGE`, and `CommandDispatcher` refuses it. `SocketAdapter` installs this decoder; Socket.IO makes one for each
 * connection.
 */
export class BoundedDecoder extends Decoder {
  /**
   * Decodes a text or an attachment. A packet of `PlainTransport` is decoded already, and its size is checked.
   * @throws Error when it isn't valid, or too large and no event; Socket.IO then closes the connection
   */
  override add(data: string | Buffer | Packet): void {
    if (typeof data === 'string') this.addText(data);
    // No command takes bytes, so it is refused without them, too.
    else if (Buffer.isBuffer(data)) super.add(data.length > MAX_COMMAND_BYTES ? NO_BYTES : data);
    else this.emitReserved('decoded', data);
  }

  private addText(text: string): void {
    // Engine.IO has taken the first byte, its type of packet, away.
    if (1 + Buffer.byteLength(text) <= MAX_COMMAND_BYTES) super.add(text);
    else this.emitReserved('decoded', beginningOf(text));
  }
}

/** An event that is too large, without its payload. */
function beginningOf(text: string): Packet {
  const [, id, event] = BEGINNING.exec(text) ?? [];
  const packet = { type: PacketType.EVENT, nsp: '/', id: id ? Number(id) : undefined, data: [event, TOO_LARGE] };
  // As in a smaller packet, the name can't be one that Socket.IO emits itself, such as `disconnect`.
  if (!isPacketValid(packet)) throw new Error('too large');
  return packet;
}
