import type { EventEmitter } from 'node:events';
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import type { Input } from './inputs.js';

// Sends inputs of the fuzzer to the application and checks the answers.

/** Longer than any answer takes, even with the database unavailable. */
const TIMEOUT_MS = 10_000;
/** A request that announces more bytes than it sends is given up after this time without an answer. */
const SILENCE_MS = 40;
const RESERVED = ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'];
const LAST_ACK_ID = 777;

/** The user and objects that inputs refer to, by placeholder name. */
export type Fixture = Readonly<Record<'token' | 'user' | 'chat' | 'message' | 'session', string | number>>;

let keys = 0;

/** Sends an input. Returns what is wrong with the answer, if anything. */
export async function send(url: string, input: Input, fixture: Fixture): Promise<string | undefined> {
  const fill = (text: string): string =>
    text.replace(/\$(token|user|chat|message|session|key)/g, (_, name: string) =>
      name === 'key' ? `k${(keys += 1)}` : String(fixture[name as keyof Fixture]),
    );
  switch (input.kind) {
    case 'http':
      return sendHttp(url, input.head.map(fill), fill(input.body));
    case 'socket':
      return sendPackets(url, fill(input.connect), [...input.packets.map(fill), lastPacket(fixture)]);
    case 'plain':
      return sendFrames(url, fill(input.path), input.frames.map(fill));
  }
}

async function sendHttp(url: string, head: string[], body: string): Promise<string | undefined> {
  const { hostname, port } = new URL(url);
  const lines = head.map((line) => line.replace('$length', String(body.length)));
  const socket = connect(Number(port), hostname);
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  socket.write(Buffer.from([...lines, '', body].join('\r\n'), 'latin1'));
  const claimsMore =
    /^(content-length: (?!\d{1,5}$)|content-length: 5$|(transfer-encoding|expect|upgrade|connection: (?!close$)))/im;
  const isHonest =
    lines[0]!.endsWith(' HTTP/1.1') &&
    !claimsMore.test(lines.slice(1).join('\n')) &&
    head.includes('Content-Length: $length');
  const silence = isHonest ? undefined : setTimeout(() => socket.destroy(), SILENCE_MS);
  const closed = await within(happens(socket, 'close'));
  clearTimeout(silence);
  socket.destroy();
  return closed ? problemOf(answer) : `no answer but ${JSON.stringify(answer.slice(0, 200))}`;
}

/** What is wrong with a raw answer, if anything. The only 5xx allowed is a 503 with `overloaded` or `unavailable`. */
function problemOf(answer: string): string | undefined {
  const [, status, headers = '', body = ''] =
    /^(?:HTTP\/1.1 100 Continue\r\n\r\n)?HTTP\/1\.1 (\d{3})[^\r]*\r\n(.*?)\r\n\r\n(.*)$/s.exec(answer) ?? [];
  if (status === undefined) return undefined; // Given up, or so malformed that the server closed the connection.
  const isBusy = status === '503' && /"code":"(overloaded|unavailable)"/.test(body);
  if (Number(status) >= 500 && !isBusy) return answer.slice(0, 1_000);
  const isOurs = /^x-request-id:/im.test(headers);
  const isProblem = /^content-type: application\/problem\+json/im.test(headers);
  return isOurs && Number(status) >= 400 && !isProblem ? answer.slice(0, 1_000) : undefined;
}

const lastPacket = ({ chat }: Fixture): string => `42${LAST_ACK_ID}["typing",{"chat_id":${chat},"is_typing":false}]`;

async function sendPackets(url: string, hello: string, packets: string[]): Promise<string | undefined> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/socket.io/?EIO=4&transport=websocket`);
  const heard = listen(socket);
  if (!(await within(heard.until((text) => text.startsWith('0'))))) return heard.closed ? undefined : 'no handshake';
  socket.send(Buffer.from(hello, 'latin1').toString());
  // Without a token there is no answer to wait for: the server disconnects later.
  const mayJoin = hello.startsWith('40{"token":"');
  if (mayJoin) await within(heard.until((text) => /^4[04]/.test(text)));
  for (const packet of packets) sendText(socket, packet);
  const answered = mayJoin && (await within(heard.until((text) => text.startsWith(`43${LAST_ACK_ID}[`))));
  const left = mayJoin && !answered && !heard.closed;
  socket.close();
  if (left) return `served no more, after ${heard.texts.slice(-3).join(' ')}`;
  return heard.complaint() ?? (answered ? unanswered(packets, heard.texts) : undefined);
}

/** The first packet that lacks an ack: every packet that parses as an event must be acked. */
function unanswered(packets: readonly string[], texts: readonly string[]): string | undefined {
  return packets.find((packet) => {
    const [, id, json] = /^42(\d{1,9})(\[.*)$/s.exec(Buffer.from(packet, 'latin1').toString()) ?? [];
    if (id === undefined || RESERVED.includes(nameIn(json!) ?? RESERVED[0]!)) return false;
    return !texts.some((text) => text.startsWith(`43${Number(id)}[`));
  });
}

function nameIn(json: string): string | undefined {
  try {
    const [name] = JSON.parse(json) as unknown[];
    return typeof name === 'string' ? name : undefined;
  } catch {
    return undefined;
  }
}

async function sendFrames(url: string, path: string, frames: string[]): Promise<string | undefined> {
  const socket = new WebSocket(url.replace(/^http/, 'ws') + path);
  const heard = listen(socket);
  const opened = await within(Promise.race([happens(socket, 'open'), heard.end]));
  if (!opened) return 'neither opened nor refused';
  if (!heard.closed) for (const frame of [...frames, '{"type":"ping"}']) sendText(socket, frame);
  const answered = await within(heard.until((text) => text === '{"type":"pong"}'));
  const left = !answered && !heard.closed;
  socket.close();
  return left ? `served no more, after ${heard.texts.slice(-3).join(' ')}` : heard.complaint();
}

function sendText(socket: WebSocket, text: string): void {
  if (text.startsWith('*')) socket.send(Buffer.from(text.slice(1), 'latin1'));
  else socket.send(Buffer.from(text, 'latin1'), { binary: false });
}

interface Received {
  readonly texts: readonly string[];
  readonly closed: boolean;
  readonly end: Promise<unknown>;
  /** Resolves when a text fits, already received or not. Rejects when the socket closes first. */
  until: (fits: (text: string) => boolean) => Promise<void>;
  complaint: () => string | undefined;
}

function listen(socket: WebSocket): Received {
  const texts: string[] = [];
  let refused: number | undefined;
  const heard = { texts, closed: false, end: happens(socket, 'close'), until, complaint };
  socket.on('message', (data) => texts.push((data as Buffer).toString()));
  socket.on('error', () => undefined);
  socket.on('unexpected-response', (_, { statusCode }) => {
    refused = statusCode;
    socket.terminate();
  });
  socket.on('close', () => (heard.closed = true));

  function until(fits: (text: string) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => (texts.some(fits) ? resolve() : undefined);
      socket.on('message', look);
      socket.on('close', () => reject(new Error('closed')));
      if (heard.closed) reject(new Error('closed'));
      look();
    });
  }

  function complaint(): string | undefined {
    if ((refused ?? 0) >= 500 && refused !== 503) return `refused with ${refused}`;
    return texts.find((text) => text.includes('"internal_error"') || text.startsWith('42["exception"'));
  }
  return heard;
}

const happens = (emitter: EventEmitter, event: string): Promise<unknown> =>
  new Promise((resolve) => emitter.once(event, resolve));

/** Whether the promise is fulfilled in time. */
async function within(event: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), TIMEOUT_MS)));
  const come = event.then(
    () => true,
    () => false,
  );
  return Promise.race([come, late]).finally(() => clearTimeout(timer));
}
