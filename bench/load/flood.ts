import { Agent, request } from 'node:http';
import { once } from 'node:events';
import { atRate } from './at-rate.js';
import { type FloodKind, type FloodReport, FLOODS } from './flood-kinds.js';
import { RawWebSocket } from './raw-socket.js';

// A flood from one address, in a process of its own: `flood.js <port> <kind> <token>`. It sends at the rate of its kind,
// whatever it is answered, and connects again when it is cut or refused. `Flooder` starts it and asks for its report.

const [port, kind, token] = process.argv.slice(2) as [string, FloodKind, string];

/** The address of the flood. The bystanders have others. */
const FROM = '127.0.0.2';
const PATH = '/socket.io/?EIO=4&transport=';
/** How many connections send packets. Each is opened again this long after it was cut or refused, in milliseconds. */
const CONNECTIONS = 2;
const AGAIN_MS = 10;
/** How long a connection is held that waits for nothing, in milliseconds: as long as the application allows it. */
const HOLD_MS = 5_000;

const GOOD_CONNECT = `40${JSON.stringify({ token })}`;
/** 60 KB: CONNECT packets without a token are the shortest. */
const BODY = Array<string>(20_000).fill('40').join('\x1e');

const agent = new Agent({ keepAlive: true, localAddress: FROM });
const count = { sent: 0, handshakes: 0 };

const floods: Record<FloodKind, () => void> = {
  'connect-ws': () => floodPackets('40{"token":"forged"}'),
  'connect-polling': () => atRate(FLOODS[kind].rate, () => void postBody().catch(() => undefined)),
  'unknown-events': () => floodPackets('42["x"]', GOOD_CONNECT),
  pongs: () => floodPackets('3'),
  'join-leave': () => atRate(FLOODS[kind].rate, joinAndLeave),
  idle: () => atRate(FLOODS[kind].rate, openIdle),
};

function floodPackets(packet: string, first?: string): void {
  for (let i = 0; i < CONNECTIONS; i += 1) new LastingConnection(packet, first);
}

/** Sends its share of the packets. It is opened again when it is cut or refused. */
class LastingConnection {
  private socket: RawWebSocket | undefined;
  private isReady = false;

  /** `first` is sent once, and answered, before the packets. */
  constructor(
    private readonly packet: string,
    private readonly first?: string,
  ) {
    this.open();
    const share = FLOODS[kind].rate / CONNECTIONS;
    atRate(
      share,
      () => this.send(),
      () => this.socket?.flush(),
    );
  }

  private open(): void {
    this.isReady = false;
    const answer = this.first === undefined ? '0' : '40';
    const socket = openSocket(
      (text) => (this.isReady ||= text.startsWith(answer)),
      () => {
        if (this.socket !== socket) return;
        this.socket = undefined;
        setTimeout(() => this.open(), AGAIN_MS);
      },
    );
    if (this.first !== undefined) socket.send(this.first);
    this.socket = socket;
  }

  private send(): void {
    if (!this.socket || !this.isReady) return;
    this.socket.send(this.packet);
    count.sent += 1;
  }
}

/** Joins, leaves, and keeps the connection. */
function joinAndLeave(): void {
  const socket = openSocket((text) => {
    if (text.startsWith('40')) socket.send('41');
  });
  socket.send(GOOD_CONNECT);
  count.sent += 1;
  setTimeout(() => socket.destroy(), HOLD_MS);
}

/** Handshakes by each transport in turns, after which nothing is sent. */
function openIdle(): void {
  count.sent += 1;
  if (count.sent % 2 === 0) {
    const socket = openSocket(() => undefined);
    setTimeout(() => socket.destroy(), HOLD_MS);
  } else {
    count.handshakes += 1;
    void ask('GET', `${PATH}polling`).catch(() => undefined);
  }
}

function openSocket(onText: (text: string) => void, onEnd = (): void => undefined): RawWebSocket {
  count.handshakes += 1;
  const end = (): void => {
    socket.destroy();
    onEnd();
  };
  const socket = new RawWebSocket(Number(port), `${PATH}websocket`, onText, end, FROM);
  return socket;
}

/** A new polling connection, and one body. */
async function postBody(): Promise<void> {
  count.handshakes += 1;
  const sid = /"sid":"([^"]+)"/.exec(await ask('GET', `${PATH}polling`))?.[1];
  if (sid === undefined) return;
  count.sent += 1;
  await ask('POST', `${PATH}polling&sid=${sid}`, BODY);
}

async function ask(method: string, path: string, body = ''): Promise<string> {
  const headers = { 'Content-Type': 'text/plain', 'Content-Length': Buffer.byteLength(body) };
  const outgoing = request({ host: '127.0.0.1', port, agent, method, path, headers });
  outgoing.end(body);
  const [incoming] = (await once(outgoing, 'response')) as [NodeJS.ReadableStream];
  let text = '';
  for await (const chunk of incoming) text += String(chunk);
  return text;
}

const start = performance.now();

function report(): FloodReport {
  const seconds = (performance.now() - start) / 1_000;
  return { sent: count.sent / seconds, handshakes: count.handshakes / seconds };
}

process.on('message', () => process.send!(report()));
process.on('disconnect', () => process.exit());
floods[kind]();
