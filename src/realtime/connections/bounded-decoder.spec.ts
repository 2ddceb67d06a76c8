import type { Packet } from 'socket.io-parser';
import { MAX_COMMAND_BYTES, TOO_LARGE } from '../commands/too-large.js';
import { BoundedDecoder } from './bounded-decoder.js';

describe('BoundedDecoder', () => {
  const decode = (...parts: (string | Buffer | Packet)[]): Packet[] => {
    const decoder = new BoundedDecoder();
    const packets: Packet[] = [];
    decoder.on('decoded', (packet) => packets.push(packet));
    for (const part of parts) decoder.add(part);
    return packets;
  };
  const large = 'x'.repeat(MAX_COMMAND_BYTES);

  it.each([
    ['21["typing","', 1, 'typing'],
    ['2["typing","', undefined, 'typing'],
    ['20[ "a:b c",', 0, 'a:b c'],
  ])('reads the beginning of an event that is too large: %s', (start, id, event) => {
    expect(decode(start + large)).toEqual([{ type: 2, nsp: '/', id, data: [event, TOO_LARGE] }]);
  });

  it.each([
    '2["disconnect","',
    '2/admin,["typing","',
    '2[1,"',
    '2["typing\\u0020","',
    `2${'9'.repeat(400)}["typing","`,
    '0{"a":"',
  ])('refuses what is too large and no event: %s', (start) => {
    expect(() => decode(start + large)).toThrow('too large');
  });

  it('keeps an attachment up to the size of a command, and drops the bytes of a larger one', () => {
    const text = '51-["typing",{"_placeholder":true,"num":0}]';
    for (const [bytes, kept] of [
      [MAX_COMMAND_BYTES, MAX_COMMAND_BYTES],
      [MAX_COMMAND_BYTES + 1, 0],
    ] as const) {
      const [packet] = decode(text, Buffer.alloc(bytes));
      expect(((packet!.data as unknown[])[1] as Buffer).length).toBe(kept);
    }
  });

  it('takes a packet as it is', () => {
    const packet = { type: 2, nsp: '/', id: 1, data: ['typing', {}] };
    expect(decode(packet)[0]).toBe(packet);
  });
});
