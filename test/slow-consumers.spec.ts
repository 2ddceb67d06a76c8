import { once } from 'node:events';
import { io, type Socket } from 'socket.io-client';
import type { WebSocket } from 'ws';
import type { ChatSocket } from '../src/realtime/chat-socket.js';
import type { Chat } from '../src/contract/chats.js';
import type { Message } from '../src/contract/messages.js';
import type { News } from '../src/contract/sync.js';
import { SLOW_CONSUMER } from '../src/realtime/connections/backlog.js';
import type { EngineConnection } from '../src/realtime/connections/engine-connection.js';
import { DEFAULT_REALTIME_OPTIONS } from '../src/realtime/realtime.options.js';
import { SocketServer } from '../src/realtime/socket.server.js';
import type { Device } from './support/device.js';
import { PlainClient } from './support/plain-client.js';
import { RawPolling, RawSocket } from './support/raw-clients.js';
import { Replica } from './support/replica.js';
import { TestApp, TestUser, unique } from './support/test-app.js';

/** 16 KB each: a few hundred fill the kernel's buffers and then our bound; `sync` returns up to a thousand. */
const LONG = { text: '\u{1F600}'.repeat(4_096), atMost: 950 };
const SHORT = { text: '-', atMost: 2_000 };
const IN_FLIGHT = 32;
const { maxBacklog: BOUND } = DEFAULT_REALTIME_OPTIONS;
/** The bound of the node that has to disconnect a client with many short messages waiting. */
const FEW_PACKETS = { ...BOUND, packets: 1_000 };

/** The first argument of the next event of a client or server socket. */
const hears = (socket: Pick<Socket, 'once'> | ChatSocket, event: string): Promise<unknown> =>
  new Promise((resolve) => (socket as Socket).once(event, resolve));

describe('slow consumer', () => {
  let app: TestApp;
  let ada: TestUser;
  let slow: TestUser;
  let others: TestUser[];

  beforeAll(async () => {
    app = await TestApp.start();
    [ada, slow, ...others] = (await app.users(3)) as [TestUser, TestUser, ...TestUser[]];
  });
  afterAll(() => app.close());

  /** The same user on another node. */
  const at = (node: TestApp, { id, name, email, token, refreshToken }: TestUser): TestUser =>
    new TestUser(node, id, name, email, token, refreshToken);
  /** The server side of a user's only socket. */
  const serverEndOf = ({ app: node, id }: TestUser): ChatSocket => node.nest.get(SocketServer).socketsOf(id)[0]!;
  const connectionOf = (socket: ChatSocket) => socket.conn as unknown as EngineConnection;
  const bytesIn = ({ writeBuffer, transport }: EngineConnection): number =>
    writeBuffer.reduce((sum, { data = '' }) => sum + Buffer.byteLength(data), transport.socket?.bufferedAmount ?? 0);

  /** Sends until the server has disconnected a socket. Returns how many messages it sent, and the most that waited. */
  async function flood(sender: Device, chatId: number, socket: ChatSocket, { text, atMost }: typeof LONG) {
    const connection = connectionOf(socket);
    const most = { packets: 0, bytes: 0 };
    let [sent, isCut] = [0, false];
    socket.once('disconnect', () => (isCut = true));
    const send = async (): Promise<void> => {
      while (!isCut && sent < atMost) {
        sent += 1;
        const command = { chat_id: chatId, text, client_message_id: `flood-${unique()}` };
        expect(await sender.command('message:send', command)).toMatchObject({ ok: true });
        if (sent % IN_FLIGHT > 0) continue;
        most.packets = Math.max(most.packets, connection.writeBuffer.length);
        most.bytes = Math.max(most.bytes, bytesIn(connection));
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, send));
    expect(isCut).toBe(true);
    return { sent, most };
  }

  /** Checks for any transport: the client is disconnected, its memory is freed, and the others have lost nothing. */
  async function expectCut(chatId: number, messages = LONG, node = app, bound = BOUND): Promise<number> {
    const listeners = await Promise.all(others.map((user) => at(node, user).device()));
    const socket = serverEndOf(at(node, slow));
    const reason = hears(socket, 'disconnect');
    const { sent, most } = await flood(await at(node, ada).device(), chatId, socket, messages);
    expect(await reason).toBe(SLOW_CONSUMER);
    expect(Math.max(most.bytes / bound.bytes, most.packets / bound.packets)).toBeGreaterThan(0.5);
    expect(most.bytes).toBeLessThan(bound.bytes + 2 * IN_FLIGHT * Buffer.byteLength(LONG.text));
    expect(most.packets).toBeLessThan(bound.packets + 4 * IN_FLIGHT);
    // The write that is under way is dropped when the connection closes, some turns of the event loop later.
    for (let turn = 0; turn < 100 && bytesIn(connectionOf(socket)) > 0; turn += 1) await new Promise(setImmediate);
    expect(bytesIn(connectionOf(socket))).toBe(0);
    for (const listener of listeners) {
      await listener.next('message:created', ({ chat_id, seq }) => chat_id === chatId && seq === sent);
      const seqs = listener.all('message:created').filter(({ chat_id }) => chat_id === chatId);
      expect(seqs.map(({ seq }) => seq)).toEqual(Array.from({ length: sent }, (_, i) => i + 1));
      listener.close();
    }
    return sent;
  }

  it('is disconnected, reconnects by itself and syncs to the exact state', async () => {
    const chat = await ada.group(slow, ...others);
    const socket: Socket = io(app.url, { auth: { token: slow.token }, transports: ['websocket'], forceNew: true });
    const replica = new Replica(slow.id);
    socket.onAny((event: string, payload: unknown) => replica.apply(event, payload));
    const sync = async (request: unknown) => ((await socket.emitWithAck('sync', request)) as { data: News }).data;
    await hears(socket, 'connect');
    await replica.catchUp(sync);
    const webSocket = (socket.io.engine.transport as unknown as { ws: WebSocket }).ws;
    webSocket.pause();

    const sent = await expectCut(chat.id);
    const [disconnected, connected] = [hears(socket, 'disconnect'), hears(socket, 'connect')];
    webSocket.resume();
    expect(['transport close', 'transport error']).toContain(await disconnected);
    await connected;
    await replica.catchUp(sync);
    const { seq, messages } = replica.chats.get(chat.id)!;
    expect(seq).toBe(sent);
    const stored: Message[] = [];
    for (let after = 0; after < sent; after += 100) {
      stored.push(...(await slow.get<Message[]>(`/messages/history/${chat.id}?limit=100&after_seq=${after}`)).body);
    }
    expect([...messages.values()].sort((one, other) => one.seq - other.seq)).toEqual(stored);
    socket.close();
  });

  it('is disconnected on the plain WebSocket', async () => {
    const chat = await ada.group(slow, ...others);
    const client = await PlainClient.open(app.url, `/ws/chat?token=${slow.token}`);
    await client.ping();
    client.socket.pause();
    await expectCut(chat.id);
    client.socket.resume();
    expect(await client.closed).toEqual([1006, '']);
  });

  /** Connects by polling, polls once more, then not again until the server disconnects it. */
  async function expectCutWhilePolling(node: TestApp, messages: typeof LONG, bound: typeof BOUND): Promise<void> {
    const chat = await ada.group(slow, ...others);
    const poll = '/socket.io/?EIO=4&transport=polling';
    const { sid } = JSON.parse(((await node.request('GET', poll)).body as string).slice(1)) as { sid: string };
    await node.request('POST', `${poll}&sid=${sid}`, { body: `40{"token":"${slow.token}"}` });
    expect((await node.request('GET', `${poll}&sid=${sid}`)).body).toMatch(/^40/);
    const { transport } = connectionOf(serverEndOf(at(node, slow)));
    await expectCut(chat.id, messages, node, bound);
    // The transport doesn't wait for one more poll, with what it holds.
    expect(transport).toMatchObject({ readyState: 'closed' });
    const answer = await node.request('GET', `${poll}&sid=${sid}`);
    expect(answer.body).toEqual({ code: 1, message: 'Session ID unknown' });
  }

  it('is disconnected when it no longer polls and the messages are long', () =>
    expectCutWhilePolling(app, LONG, BOUND));

  it('is disconnected when it no longer polls and the messages are many', async () => {
    const node = await TestApp.start({ databaseUrl: app.databaseUrl }, { maxBacklog: FEW_PACKETS });
    await expectCutWhilePolling(node, SHORT, FEW_PACKETS);
    await node.close();
  });

  it('is counted in the metrics', async () => {
    const { body } = await app.request<string>('GET', '/metrics');
    expect(body).toMatch(/^windi_socket_disconnects_total\{reason="slow_consumer"\} 3$/m);
  });

  /**
   * Makes a function that sends to the chat until so many bytes wait in the connection, or it is closed. It returns how
   * many waited at last, and how many messages it has sent.
   */
  const filling =
    (connection: EngineConnection, { id: chat_id }: Chat, sender: Device) =>
    async (bytes: number) => {
      const say = async (): Promise<void> => {
        const command = { chat_id, text: LONG.text, client_message_id: `filling-${unique()}` };
        expect(await sender.command('message:send', command)).toMatchObject({ ok: true });
      };
      let [waiting, sent] = [0, 0];
      while (connection.readyState === 'open' && bytesIn(connection) < bytes) {
        waiting = bytesIn(connection);
        const count = Math.min(Math.ceil((bytes - waiting) / Buffer.byteLength(LONG.text)), IN_FLIGHT);
        await Promise.all(Array.from({ length: count }, say));
        sent += count;
      }
      return { waiting, sent };
    };

  /** A node, a client that polls it, and what it takes to have messages wait for that client. */
  async function polled(maxBacklog: typeof BOUND) {
    const node = await TestApp.start({ databaseUrl: app.databaseUrl }, { maxBacklog });
    const polling = await RawPolling.open(node.url);
    await polling.post(`40{"token":"${slow.token}"}`);
    await polling.poll();
    const connection = connectionOf(serverEndOf(at(node, slow)));
    const fill = filling(connection, await ada.group(slow), await at(node, ada).device());
    return { node, polling, connection, fill };
  }

  it('is not a client that polls in time, however much it has read', async () => {
    // Much more than what is made to wait may wait: messages that have been acked need not be in the count yet.
    const { node, polling, fill } = await polled({ ...BOUND, bytes: 512 * 1024 });
    for (let polls = 0; polls < 10; polls += 1) {
      await fill(80 * 1024);
      expect((await polling.poll()).status).toBe(200);
    }
    await polling.post('1');
    await node.close();
  });

  it('is disconnected for what it has left unread of a poll and what waits beside it', async () => {
    const [unread, most] = [10 * 1024 ** 2, 12 * 1024 ** 2];
    const { node, polling, connection, fill } = await polled({ ...BOUND, bytes: 2 * most, userBytes: most });
    await fill(unread);
    const response = await polling.pausedPoll();
    expect((await fill(most)).waiting).toBeLessThan(unread);
    expect(connection.readyState).toBe('closed');
    response.destroy();
    await node.close();
  });

  it('is nobody who has caught up: what was waiting for them counts no more', async () => {
    // More than the kernel takes at once.
    const [waiting, nodeBytes] = [12 * 1024 ** 2, 16 * 1024 ** 2];
    const maxBacklog = { ...BOUND, bytes: nodeBytes, userBytes: nodeBytes, nodeBytes };
    const node = await TestApp.start({ databaseUrl: app.databaseUrl }, { maxBacklog });
    const sender = await at(node, ada).device();
    for (const user of [slow, others[0]!]) {
      const raw = await RawSocket.open(node.url, user.token);
      const connection = connectionOf(serverEndOf(at(node, user)));
      raw.socket.pause();
      const { sent } = await filling(connection, await ada.group(user), sender)(waiting);
      raw.socket.resume();
      while (!raw.received.at(-1)?.includes(`"seq":${sent},`)) await once(raw.socket, 'message');
    }
    expect(node.nest.get(SocketServer).io.sockets.sockets.size).toBe(3);
    await node.close();
  });

  it.each([
    ['of one user', 'userBytes', () => [slow, slow]],
    ['of all users together', 'nodeBytes', () => [slow, others[0]!]],
  ] as const)(
    'is disconnected, the largest first, when too much waits for the clients %s',
    async (_, bound, readers) => {
      const node = await TestApp.start(
        { databaseUrl: app.databaseUrl },
        { maxBacklog: { ...BOUND, [bound]: BOUND.bytes / 2 } },
      );
      const [first, second] = readers();
      const largest = await RawSocket.open(node.url, first!.token);
      const other = await RawSocket.open(node.url, second!.token);
      const chat = await ada.group(slow, ...others);
      const sender = await at(node, ada).device();
      const say = () =>
        sender.command('message:send', { chat_id: chat.id, text: LONG.text, client_message_id: `totals-${unique()}` });
      const sockets = [...node.nest.get(SocketServer).io.sockets.sockets.values()];
      const [{ conn }] = sockets.filter(({ data }) => data.principal.userId === slow.id) as [ChatSocket];
      largest.socket.pause();
      // One waits for more than the other when the bound is reached.
      while (bytesIn(conn as unknown as EngineConnection) < BOUND.bytes / 4)
        expect(await say()).toMatchObject({ ok: true });
      other.socket.pause();
      const reason = new Promise((resolve) => conn.once('close', resolve));
      let waiting = 0;
      const isOpen = (): boolean => conn.readyState === 'open';
      for (; isOpen(); waiting = Math.max(waiting, bytesIn(conn as unknown as EngineConnection)))
        expect(await say()).toMatchObject({ ok: true });
      expect(await reason).toBe(SLOW_CONSUMER);
      // Not by its own bound.
      expect(waiting).toBeLessThan(0.75 * BOUND.bytes);
      expect(node.nest.get(SocketServer).io.sockets.sockets.size).toBe(2);
      for (const { socket } of [largest, other]) socket.terminate();
      await node.close();
    },
  );

  it('is disconnected when it pings and does not read the pongs', async () => {
    const client = await PlainClient.open(app.url, `/ws/chat?token=${slow.token}`);
    await client.ping();
    const socket = serverEndOf(slow);
    const reason = hears(socket, 'disconnect');
    client.socket.pause();
    const ping = (): void => {
      for (let i = 0; i < 1_000; i++) client.socket.ping(LONG.text.slice(0, 60));
      if (socket.connected) setImmediate(ping);
    };
    ping();
    expect(await reason).toBe(SLOW_CONSUMER);
    client.socket.terminate();
  });
});
