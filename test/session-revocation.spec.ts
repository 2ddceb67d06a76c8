import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { JwtService } from '@nestjs/jwt';
import { Client } from 'pg';
import { WebSocket } from 'ws';
import { SocketServer } from '../src/realtime/socket.server.js';
import type { Chat } from '../src/contract/chats.js';
import { onDatabase, waitingForLock } from './support/database.js';
import { Device } from './support/device.js';
import { PlainClient } from './support/plain-client.js';
import { expectProblem } from './support/expect-problem.js';
import { TcpProxy } from './support/tcp-proxy.js';
import { PASSWORD, TestApp, type TestUser } from './support/test-app.js';

/** An access token is valid for 15 minutes, so no token expires by itself within a test. */
describe('session revocation', () => {
  let app: TestApp;
  let node2: TestApp;
  let ada: TestUser;
  let chat: { id: number };

  beforeAll(async () => {
    app = await TestApp.start();
    node2 = await TestApp.start({ databaseUrl: app.databaseUrl });
    ada = await app.user();
    chat = await ada.group();
  });
  afterAll(async () => {
    await node2.close();
    await app.close();
  });

  const refresh = (token: string) => app.request('POST', '/auth/refresh', { body: { refresh_token: token } });
  const me = (node: TestApp, token: string) => node.request('GET', '/auth/me', { token });

  /** Each way to end the session of `phone`: by `phone` itself or from another session of the user. */
  const ways: [string, (phone: TestUser, other: TestUser) => Promise<{ status: number }>, number][] = [
    ['logout', (phone) => phone.post('/auth/logout'), 204],
    ['its removal', (phone, other) => other.delete(`/auth/sessions/${phone.sessionId}`), 204],
    ['the removal of all others', (_, other) => other.delete('/auth/sessions'), 204],
    [
      'a new password',
      (_, other) => other.post('/auth/password', { current_password: PASSWORD, new_password: 'battery staple' }),
      204,
    ],
    [
      'a refresh token that is used again',
      async ({ refreshToken }) => {
        const { body } = await refresh(refreshToken);
        await refresh(body.refresh_token as string);
        return refresh(refreshToken);
      },
      401,
    ],
  ];

  it.each(ways)('by %s refuses the tokens and disconnects the sockets, on both nodes', async (_, end, status) => {
    const phone = await app.user();
    const other = await app.login(phone);
    const sockets = await Promise.all([phone.device(), phone.device(['polling']), node2.connect(phone.token)]);
    const spared = await Promise.all([other.device(), node2.connect(other.token), ada.device()]);
    const cut = sockets.map((device) => device.disconnected());
    const plain = await PlainClient.open(app.url, `/ws/chat?token=${phone.token}`);
    await plain.ping();

    expect((await end(phone, other)).status).toBe(status);
    expectProblem(await me(app, phone.token), 401, 'unauthorized');
    for (const device of sockets) expect(await device.next('session:revoked')).toEqual({});
    expect(await Promise.all(cut)).toEqual(sockets.map(() => 'io server disconnect'));
    expect(await plain.nextOf('session:revoked')).toEqual({ type: 'session:revoked' });
    expect(await plain.closed).toEqual([4401, 'unauthorized']);
    expectProblem(await me(node2, phone.token), 401, 'unauthorized');
    for (const node of [app, node2]) {
      await expect(Device.connect(node.url, phone.token)).rejects.toMatchObject({ data: { code: 'unauthorized' } });
    }

    const theirs = await other.group();
    const chats = [theirs, theirs, chat];
    for (const [index, device] of spared.entries()) {
      const typing = { chat_id: chats[index]!.id, is_typing: true };
      expect(await device.command('typing', typing)).toEqual({ ok: true, data: {} });
      expect(device.all('session:revoked')).toEqual([]);
    }
  });

  it('reaches the other node also without a socket there', async () => {
    const phone = await app.user();
    expect((await me(node2, phone.token)).status).toBe(200);
    await phone.post('/auth/logout');
    // This takes less than a second; a busy machine gets five.
    const deadline = performance.now() + 5_000;
    let answer = await me(node2, phone.token);
    while (answer.status === 200 && performance.now() < deadline) answer = await me(node2, phone.token);
    expectProblem(answer, 401, 'unauthorized');
  });

  it('is known to a node that starts later', async () => {
    const phone = await app.user();
    await phone.post('/auth/logout');
    const later = await TestApp.start({ databaseUrl: app.databaseUrl });
    expectProblem(await me(later, phone.token), 401, 'unauthorized');
    expect((await me(later, ada.token)).status).toBe(200);
    await later.close();
  });

  it('is not missed when its transaction commits after later ones', async () => {
    const [slow, quick] = [await app.user(), await app.user()];
    const [slowDevice, quickDevice] = [await node2.connect(slow.token), await node2.connect(quick.token)];
    const revoke = `UPDATE sessions SET revoked_xid = pg_current_xact_id()::text::bigint,
      expires_at = now() + interval '20 minutes' WHERE id = $1`;
    const client = new Client({ connectionString: app.databaseUrl });
    await client.connect();
    await client.query('BEGIN');
    await client.query(revoke, [slow.sessionId]);
    await quick.post('/auth/logout');
    await quickDevice.next('session:revoked');
    expect(slowDevice.all('session:revoked')).toEqual([]);
    await client.query('COMMIT');
    await client.end();
    await slowDevice.next('session:revoked');
  });

  it('reaches a node that was disconnected from the database, once it is connected again', async () => {
    const proxy = await TcpProxy.inFrontOf(app.databaseUrl);
    const node3 = await TestApp.start({ databaseUrl: proxy.url });
    const phone = await app.user();
    const device = await node3.connect(phone.token);
    const before = await app.login(phone);
    await node3.request('POST', '/auth/logout', { token: before.token });
    proxy.block();
    await proxy.untilRefused(3);
    await phone.post('/auth/logout');
    expect(device.all('session:revoked')).toEqual([]);
    // The node doesn't know who has logged out meanwhile, so it serves nobody.
    const noMessage = (token: string) => node3.request('POST', '/messages', { token, body: {} });
    for (const { token } of [ada, phone, before]) expectProblem(await noMessage(token), 503, 'unavailable');
    const typing = { chat_id: chat.id, is_typing: true };
    expect(await device.command('typing', typing)).toMatchObject({ ok: false, error: { code: 'unavailable' } });
    proxy.unblock();
    await device.next('session:revoked');
    expectProblem(await me(node3, phone.token), 401, 'unauthorized');
    await node3.close();
    proxy.close();
  });

  it('is known to a node that has slept before it serves one request, command or handshake', async () => {
    const phone = await app.user();
    const laptop = await app.login(phone);
    const own = await phone.group();
    const device = await node2.connect(phone.token);
    const tcp = connect(Number(new URL(node2.url).port), '127.0.0.1');
    await once(tcp, 'connect');
    const webSocket = new WebSocket(`${node2.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    await once(webSocket, 'message');
    const client = new Client({ connectionString: app.databaseUrl });
    await client.connect();
    // PostgreSQL carries this out while the process sleeps: it waits without its event loop.
    const revocation = client.query(
      `SELECT pg_sleep(0.3); UPDATE sessions SET revoked_xid = pg_current_xact_id()::text::bigint,
         expires_at = now() + interval '20 minutes' WHERE id = '${phone.sessionId}'`,
    );
    const body = JSON.stringify({ chat_id: own.id, text: 'too late' });
    tcp.write(
      `POST /messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${phone.token}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    device.raw('message:send', { chat_id: own.id, text: 'too late', client_message_id: 'late' }).catch(() => undefined);
    webSocket.send(`40${JSON.stringify({ token: phone.token })}`);
    const [answered, joined] = [once(tcp, 'data'), once(webSocket, 'message')];
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
    expect(String((await answered)[0])).toMatch(/^HTTP\/1\.1 401 /);
    // The packet by which Socket.IO refuses a handshake.
    expect(String((await joined)[0])).toMatch(/^44.*"unauthorized"/);
    await device.next('session:revoked');
    await revocation;
    // The node stores messages in turn: one that it had accepted from the ended session would be the first.
    const inTime = { chat_id: own.id, text: 'in time' };
    expect((await node2.request('POST', '/messages', { token: laptop.token, body: inTime })).body).toMatchObject({
      seq: 1,
    });
    webSocket.terminate();
    tcp.destroy();
    await client.end();
  });

  it('disconnects a socket that was accepted just before', async () => {
    const phone = await app.user();
    const server = app.nest.get(SocketServer).io;
    let arrived!: () => void;
    const atTheDoor = new Promise<void>((resolve) => (arrived = resolve));
    // Runs after the check of the handshake, and before the socket joins the room of its user.
    server.use((socket, next) => {
      if (socket.data.principal.sessionId !== phone.sessionId) return next();
      arrived();
      void phone.post('/auth/logout').then(() => next());
    });
    const [device] = await Promise.all([phone.device(), atTheDoor]);
    await device.next('session:revoked');
    if (device.socket.connected) expect(await device.disconnected()).toBe('io server disconnect');
  });

  it('refuses commands that are still queued', async () => {
    const phone = await app.user();
    const laptop = await app.login(phone);
    const [device, own] = [await phone.device(), await phone.group()];
    const { id } = await phone.say(own);
    await onDatabase(app.databaseUrl, async (client) => {
      await client.query('BEGIN');
      await client.query('SELECT FROM chats WHERE id = $1 FOR UPDATE', [own.id]);
      // Edits run one at a time on a socket: the first one waits for the chat, the others for the first one.
      for (const text of ['under way', 'waits', 'waits, too', 'and so', 'do these']) {
        device.raw('message:edit', { message_id: id, text }).catch(() => undefined);
      }
      await waitingForLock(client);
      await phone.post('/auth/logout');
      await device.next('session:revoked');
    });
    // Writers take turns in the lane, so each of these edits would let a queued one run.
    for (const text of ['a', 'b', 'c', 'd', 'e']) await laptop.patch(`/messages/${id}`, { text });
    expect((await laptop.get<Chat>(`/chats/${own.id}`)).body.last_change_seq).toBe(6);
  });

  it('prevents a socket from continuing with the token of the ended session', async () => {
    const [phone, device] = [await app.login(ada), await ada.device()];
    await phone.post('/auth/logout');
    const ack = await device.command('auth:refresh', { token: phone.token });
    expect(ack).toMatchObject({ ok: false, error: { code: 'unauthorized', retryable: false } });
    expect(await device.command('typing', { chat_id: chat.id, is_typing: true })).toEqual({ ok: true, data: {} });
  });

  it('does not disconnect a socket that has switched to another session of its user', async () => {
    const phone = await app.login(ada);
    const device = await phone.device();
    expect(await device.command('auth:refresh', { token: ada.token })).toMatchObject({ ok: true });
    await phone.post('/auth/logout');
    expect(await device.command('typing', { chat_id: chat.id, is_typing: true })).toEqual({ ok: true, data: {} });
  });

  it('does not concern refresh tokens, which are no access tokens', async () => {
    expectProblem(await me(app, ada.refreshToken), 401, 'unauthorized');
    await expect(Device.connect(app.url, ada.refreshToken)).rejects.toMatchObject({ data: { code: 'unauthorized' } });
    const device = await ada.device();
    expect(await device.command('auth:refresh', { token: randomBytes(48).toString('base64url') })).toMatchObject({
      ok: false,
      error: { code: 'unauthorized' },
    });
  });

  it('holds after ACCESS_TOKEN_TTL is shortened: older tokens expire by the new value', async () => {
    const strict = await TestApp.start({ databaseUrl: app.databaseUrl, accessTokenTtlSeconds: 60 });
    const now = Math.floor(Date.now() / 1000);
    const signedAgo = (seconds: number): string =>
      app.nest.get(JwtService).sign({ sid: ada.sessionId, iat: now - seconds }, { subject: String(ada.id) });
    expect((await me(app, signedAgo(70))).status).toBe(200);
    expect((await me(strict, signedAgo(30))).status).toBe(200);
    expectProblem(await me(strict, signedAgo(70)), 401, 'token_expired');
    await strict.close();
  });
});
