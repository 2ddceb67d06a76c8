import { readFileSync } from 'node:fs';
import { JwtService } from '@nestjs/jwt';
import { io, type Socket } from 'socket.io-client';
import ts from 'typescript';
import type { ClientToServerEvents, ServerToClientEvents } from '../src/contract/events.js';
import type { Message } from '../src/contract/messages.js';
import type { Refresh } from '../src/contract/users.js';
import { MAX_SESSION_SOCKETS } from '../src/realtime/connections/handshake.service.js';
import { runModule } from './support/run-module.js';
import { TestApp, type TestUser } from './support/test-app.js';

/** The interface of the example client in docs/realtime.md, "A client". */
type ConnectChat = (
  url: string,
  getToken: () => Promise<string | undefined>,
  logIn: () => void,
  merge: (message: Message) => void,
  catchUp: () => Promise<void>,
) => {
  socket: Socket<ServerToClientEvents, ClientToServerEvents>;
  send: (chatId: number, text: string) => Promise<Message>;
};

/** The interface of the other example there. */
type RefreshTokens = (
  url: string,
  kept: Refresh,
  keep: (next: Refresh) => Promise<void>,
) => Promise<string | undefined>;

/** The function `name` of the examples in the document, without its types and imports. */
function readExample<T>(name: string, given: Record<string, unknown>): Promise<T> {
  const examples = [...readFileSync('docs/realtime.md', 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)];
  const example = examples.map(([, code]) => code!).find((code) => code.includes(`function ${name}(`))!;
  const { outputText } = ts.transpileModule(example, { compilerOptions: { target: ts.ScriptTarget.ES2022 } });
  return runModule(outputText.replaceAll(/^import .*$/gm, '').replace('export ', ''), name, given);
}

/** A promise and the function that resolves it. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

describe('the examples of docs/realtime.md', () => {
  let app: TestApp;
  let ada: TestUser;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    app = await TestApp.start();
    ada = await app.user();
  });
  afterAll(async () => {
    for (const socket of sockets) socket.close();
    await app.close();
  });

  type GetToken = () => string | undefined | Promise<string | undefined>;

  /** Starts the client with these tokens, one after the other. `synced` resolves after its first sync. */
  const start = async (tokens: GetToken[], { url } = app) => {
    const merged: Message[] = [];
    const delays: number[] = [];
    const [loggedOut, synced] = [gate(), gate()];
    const catchUp = (): Promise<void> => {
      synced.open();
      return Promise.resolve();
    };
    const getToken = async (): Promise<string | undefined> => (tokens.length > 1 ? tokens.shift()! : tokens[0]!)();
    const setSoon = (run: () => void, delay: number): void => {
      delays.push(delay);
      setTimeout(run, Math.min(delay, 100));
    };
    const connectChat = await readExample<ConnectChat>('connectChat', { io, setTimeout: setSoon });
    const client = connectChat(url, getToken, loggedOut.open, (message) => merged.push(message), catchUp);
    sockets.push(client.socket);
    return { ...client, merged, delays, loggedOut: loggedOut.opened, synced: synced.opened };
  };
  const connect = async (...tokens: GetToken[]) => {
    const client = await start(tokens);
    await client.synced;
    return client;
  };
  const hears = (socket: Socket, event: string) => new Promise<any>((resolve) => socket.once(event as any, resolve));

  it('sends messages, and merges the events it receives', async () => {
    const chat = await ada.group();
    const { send, merged } = await connect(() => ada.token);
    const message = await send(chat.id, 'from the document');
    expect(message).toMatchObject({ chat_id: chat.id, seq: 1, text: 'from the document' });
    expect(merged).toEqual([message]);
  });

  it('resends over the next connection, and the message is stored once', async () => {
    const chat = await ada.group();
    const { socket, send } = await connect(() => ada.token);
    const again = new Promise<void>((resolve) => socket.once('connect', resolve));
    const sent = send(chat.id, 'once');
    socket.io.engine.close();
    await again;
    expect(await sent).toMatchObject({ seq: 1, text: 'once' });
    expect((await ada.get(`/history/${chat.id}`)).body).toHaveLength(1);
  });

  it('refreshes an expiring token, and asks for a login when the session has ended', async () => {
    const session = await app.login(ada);
    const tokenFor = (seconds: number): string =>
      app.nest.get(JwtService).sign({ sid: session.sessionId }, { subject: String(ada.id), expiresIn: seconds });
    const chat = await session.group();
    // A refused token, a token that expires within two seconds, and a valid token.
    const tokens = [() => tokenFor(-1), () => tokenFor(2), () => session.token] as const;
    const { socket, send, loggedOut } = await connect(...tokens);
    await new Promise<void>((resolve) => socket.once('auth:expired', () => resolve()));
    expect(await send(chat.id, 'with the new token')).toMatchObject({ seq: 1 });
    const cut = new Promise((resolve) => socket.once('disconnect', resolve));
    await session.post('/auth/logout');
    await loggedOut;
    expect(await cut).toBe('io server disconnect');
  });

  it('connects again when it was refused because the session has too many sockets', async () => {
    const session = await app.login(ada);
    const others = await Promise.all(Array.from({ length: MAX_SESSION_SOCKETS }, () => session.device()));
    const client = await start([() => session.token]);
    expect((await hears(client.socket, 'connect_error')).data.code).toBe('rate_limited');
    for (const device of others) device.close();
    await client.synced;
    expect(client.delays[0]).toBe(45_000);
  });

  it('comes back when a new token took so long that the server has cut the connection', async () => {
    const impatient = await TestApp.start({}, { expiryGraceMs: 1 });
    const bob = await impatient.user();
    const cut = gate();
    const short = impatient.nest
      .get(JwtService)
      .sign({ sid: bob.sessionId }, { subject: String(bob.id), expiresIn: 2 });
    const tokens: GetToken[] = [() => short, () => cut.opened.then(() => bob.token), () => bob.token];
    const { socket, synced } = await start(tokens, impatient);
    await synced;
    expect(await hears(socket, 'disconnect')).toBe('io server disconnect');
    const again = hears(socket, 'connect');
    cut.open();
    await again;
    socket.close();
    await impatient.close();
  });

  it('survives a connection that breaks during a refresh', async () => {
    const session = await app.login(ada);
    const short = app.nest.get(JwtService).sign({ sid: session.sessionId }, { subject: String(ada.id), expiresIn: 2 });
    const { socket } = await connect(
      () => short,
      () => session.token,
    );
    await new Promise<void>((resolve) => {
      socket.onAnyOutgoing((event) => {
        if (event !== 'auth:refresh') return;
        socket.io.engine.close();
        resolve();
      });
    });
    await hears(socket, 'connect');
  });

  it('refresh until an answer arrives, also after a restart, and ask for a login when the session has ended', async () => {
    const session = await app.login(ada);
    const sent: string[] = [];
    const statuses: number[] = [];
    /** Loses the first answer, and the end of the second one. */
    const lossy = async (url: string, request: RequestInit): Promise<Response> => {
      sent.push(request.body as string);
      const answer = await fetch(url, request);
      statuses.push(answer.status);
      const text = await answer.text();
      if (sent.length === 1) throw new Error('lost');
      return new Response(sent.length === 2 ? text.slice(0, 100) : text, { status: answer.status });
    };
    const refresh = await readExample<RefreshTokens>('refresh', { fetch: lossy });
    let kept: Refresh = { refresh_token: session.refreshToken };
    const keep = (next: Refresh): Promise<void> => {
      kept = next;
      return Promise.resolve();
    };
    // The device is switched off when it is about to keep the first answer that has come.
    const keepTheRequest = (next: Refresh): Promise<void> =>
      next.client_refresh_id ? keep(next) : Promise.reject(new Error('switched off'));
    await expect(refresh(app.url, kept, keepTheRequest)).rejects.toThrow('switched off');
    await app.sql(`UPDATE sessions SET rotated_at = rotated_at - interval '1 day' WHERE id = $1`, [session.sessionId]);
    const token = (await refresh(app.url, kept, keep))!;
    expect(statuses).toEqual([200, 200, 200, 200]);
    expect(new Set(sent).size).toBe(1);
    expect((await app.request('GET', '/auth/me', { token })).body.id).toBe(ada.id);
    expect(Object.keys(kept)).toEqual(['refresh_token']);
    expect(kept.refresh_token).not.toBe(session.refreshToken);
    // Its next refresh has another id.
    await refresh(app.url, kept, keep);
    expect(JSON.parse(sent.at(-1)!).client_refresh_id).not.toBe(JSON.parse(sent[0]!).client_refresh_id);
    await session.post('/auth/logout');
    expect(await refresh(app.url, kept, keep)).toBeUndefined();
  });

  it('refresh no sooner than the server says, and give up what is no refresh token', async () => {
    const delays: number[] = [];
    const setSoon = (run: () => void, delay: number): void => {
      delays.push(delay);
      setImmediate(run);
    };
    const busy = (): Promise<Response> =>
      Promise.resolve(new Response('{}', { status: 503, headers: { 'Retry-After': '7' } }));
    const sends = [busy, fetch];
    const given = { setTimeout: setSoon, fetch: (url: string, request: RequestInit) => sends.shift()!(url, request) };
    const refresh = await readExample<RefreshTokens>('refresh', given);
    expect(await refresh(app.url, { refresh_token: '' }, () => Promise.resolve())).toBeUndefined();
    expect(delays[0]).toBeGreaterThanOrEqual(7_250);
    expect(sends).toEqual([]);
  });
});
