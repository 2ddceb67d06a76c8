import { DataSource } from 'typeorm';
import { UnitOfWork } from '../src/database/unit-of-work.js';
import { DomainEventBus } from '../src/common/domain-event.bus.js';
import type { Chat } from '../src/contract/chats.js';
import { createDatabase, onDatabase, waitingForLock } from './support/database.js';
import { expectProblem } from './support/expect-problem.js';
import { TcpProxy } from './support/tcp-proxy.js';
import { PlainClient } from './support/plain-client.js';
import { untilReady } from './support/ready.js';
import { receivedIn } from './support/received-events.js';
import { PASSWORD, TestApp } from './support/test-app.js';

describe('database unavailable', () => {
  let app: TestApp;
  let proxy: TcpProxy;
  let database: Awaited<ReturnType<typeof createDatabase>>;

  beforeAll(async () => {
    database = await createDatabase();
    proxy = await TcpProxy.inFrontOf(database.url);
    app = await TestApp.start({ databaseUrl: proxy.url });
  });
  afterAll(async () => {
    proxy.unblock();
    await app.close();
    proxy.close();
    await database.drop();
  });

  it('is answered on both transports; the node recovers, and a retry with the same key is stored once', async () => {
    const [ada, bob] = [await app.user(), await app.user()];
    const chat = await ada.group(bob);
    const [device, listener] = [await ada.device(), await bob.device()];
    const send = { chat_id: chat.id, text: 'kept', client_message_id: 'the-key' };

    proxy.block();
    const [ack, byRest, read, live] = await Promise.all([
      device.command('message:send', send),
      ada.post('/messages', send),
      ada.get('/chats'),
      app.request('GET', '/health/live'),
    ]);
    expect(ack).toMatchObject({ ok: false, error: { code: 'unavailable', retryable: true } });
    await untilReady(app.url, false);
    for (const answer of [byRest, read, await app.request('GET', '/health/ready')]) {
      expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
      expect(answer.headers.get('retry-after')).toBe('1');
    }
    expect(live.status).toBe(200);

    proxy.unblock();
    const again = await device.command('message:send', send);
    expect(again).toMatchObject({ ok: true, data: { seq: 1, text: 'kept' } });
    expect(await listener.next('message:created')).toMatchObject({ seq: 1 });
    expect((await ada.get(`/history/${chat.id}`)).body).toHaveLength(1);
    await untilReady(app.url);
  });

  it('answers unavailable when the response to a commit is lost, and a retry finds the message', async () => {
    const [ada, bob] = [await app.user(), await app.user()];
    const chat = await ada.group(bob);
    const device = await ada.device();
    const send = { chat_id: chat.id, text: 'committed', client_message_id: 'the-key' };
    proxy.dropResponses();
    const lost = device.command('message:send', send);
    await onDatabase(database.url, async (client) => {
      const stored = () => client.query('SELECT FROM messages WHERE chat_id = $1', [chat.id]);
      while ((await stored()).rowCount === 0);
    });
    proxy.block();
    expect(await lost).toMatchObject({ ok: false, error: { code: 'unavailable', retryable: true } });
    proxy.unblock();
    expect(await device.command('message:send', send)).toMatchObject({ ok: true, replayed: true, data: { seq: 1 } });
  });

  it('loses and duplicates no message when a connection breaks under many sends that are retried', async () => {
    const [ada, bob] = [await app.user(), await app.user()];
    const chat = await ada.group(bob);
    const device = await ada.device();
    let unavailable = 0;
    const sendUntilStored = async (index: number): Promise<number> => {
      const command = { chat_id: chat.id, text: `message ${index}`, client_message_id: `key-${index}` };
      for (;;) {
        const ack = await device.command('message:send', command);
        if (ack.ok) return ack.data.seq;
        expect(ack.error).toMatchObject({ code: 'unavailable', retryable: true });
        unavailable += 1;
        proxy.unblock();
      }
    };
    const first = sendUntilStored(0);
    const others = Array.from({ length: 300 }, (_, index) => sendUntilStored(index + 1));
    await first;
    proxy.block();
    const seqs = await Promise.all([first, ...others]);
    expect(unavailable).toBeGreaterThan(0);
    expect(seqs.sort((a, b) => a - b)).toEqual(Array.from({ length: 301 }, (_, index) => index + 1));
    expect((await ada.get<Chat>(`/chats/${chat.id}`)).body.last_seq).toBe(301);
  });

  it('is answered to plain WebSocket clients, and closes a connection that asks for one chat', async () => {
    const ada = await app.user();
    const chat = await ada.group();
    const client = await PlainClient.open(app.url, `/ws/chat?token=${ada.token}`);
    const frame = { chat_id: chat.id, text: 'kept', client_message_id: 'the-key' };
    proxy.block();
    client.send(frame);
    const refused = { type: 'error', code: 'unavailable', retryable: true, client_message_id: 'the-key' };
    expect(await client.nextOf('error')).toMatchObject(refused);
    const bound = await PlainClient.open(app.url, `/ws/${chat.id}?token=${ada.token}`);
    expect(await bound.closed).toEqual([1013, 'unavailable']);
    proxy.unblock();
    client.send(frame);
    expect(await client.next(({ seq }) => seq === 1)).toMatchObject(frame);
  });

  describe('for a write', () => {
    /** Has each message and each name of a group refused with this SQLSTATE, `times` times. */
    const refuseWrites = async (code: string, times: number): Promise<void> => {
      await app.sql(`CREATE SEQUENCE refusals;
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF nextval('refusals') <= ${times} THEN RAISE 'refused' USING ERRCODE = '${code}'; END IF;
          RETURN NEW;
        END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION refuse();
        CREATE TRIGGER refuse BEFORE UPDATE OF name ON groups FOR EACH ROW EXECUTE FUNCTION refuse()`);
    };
    afterEach(() => app.sql('DROP FUNCTION IF EXISTS refuse CASCADE; DROP SEQUENCE IF EXISTS refusals'));

    it.each([
      ['the server is read-only', '25006'],
      ["the transaction can't be serialized", '40001'],
      ['it is in a deadlock', '40P01'],
      ['the disk is full', '53100'],
      ['the memory is exhausted', '53200'],
      ['there are too many connections', '53300'],
      ['the server is stopped by its admin', '57P01'],
    ])('is answered as retryable when %s', async (_, code) => {
      const ada = await app.user();
      const chat = await ada.group();
      const [device, plain] = [await ada.device(), await PlainClient.open(app.url, `/ws/chat?token=${ada.token}`)];
      const send = { chat_id: chat.id, text: 'kept', client_message_id: 'the-key' };
      await refuseWrites(code, 1_000);
      for (const answer of [await ada.post('/messages', send), await ada.patch(`/groups/${chat.id}`, { name: 'B' })]) {
        expectProblem(answer, 503, 'unavailable');
        expect(answer.headers.get('retry-after')).toBe('1');
      }
      const refused = { code: 'unavailable', retryable: true };
      expect(await device.command('message:send', send)).toMatchObject({ ok: false, error: refused });
      plain.send(send);
      expect(await plain.nextOf('error')).toMatchObject(refused);
      plain.socket.close();
    });

    it.each(['40001', '40P01'])('is made once more after an error of SQLSTATE %s, and told once', async (code) => {
      const ada = await app.user();
      const chat = await ada.group();
      const device = await ada.device();
      await refuseWrites(code, 1);
      expect((await ada.post('/messages', { chat_id: chat.id, text: 'stored' })).status).toBe(201);
      await app.sql("SELECT setval('refusals', 1, false)");
      expect((await ada.patch(`/groups/${chat.id}`, { name: 'Another name' })).status).toBe(200);
      await ada.say(chat, 'the last one');
      await device.next('message:created', ({ text }) => text === 'the last one');
      const told = receivedIn(device, chat).map(({ event }) => event);
      expect(told).toEqual(['message:created', 'chat:updated', 'message:created']);
    });

    it('names those who are left out of a group that is made at the second try', async () => {
      const [ada, bob, eve] = [await app.user(), await app.user(), await app.user()];
      await bob.put(`/users/${ada.id}/block`);
      await refuseWrites('40P01', 1);
      await app.sql('CREATE TRIGGER refuse_new BEFORE INSERT ON groups FOR EACH ROW EXECUTE FUNCTION refuse()');
      const { status, body } = await ada.post('/groups', { name: 'A name', member_ids: [bob.id, eve.id] });
      expect([status, body.left_out_ids, body.member_count]).toEqual([201, [bob.id], 2]);
    });

    it('is made although it was in a deadlock with another program', async () => {
      const [ada, bob] = [await app.user(), await app.user()];
      const chat = await ada.group();
      await onDatabase(database.url, async (client) => {
        // So that PostgreSQL ends the other side of the deadlock.
        await client.query("SET deadlock_timeout = '1min'");
        await client.query('BEGIN');
        await client.query('SELECT FROM users WHERE id = $1 FOR UPDATE', [bob.id]);
        const added = ada.put(`/groups/${chat.id}/members/${bob.id}`);
        await waitingForLock(client);
        await client.query('SELECT FROM chats WHERE id = $1 FOR UPDATE', [chat.id]);
        await client.query('COMMIT');
        expect((await added).status).toBe(200);
      });
    });
  });

  it('answers unavailable while the server is read-only, and is not ready', async () => {
    const ada = await app.user();
    const chat = await ada.group();
    const name = new URL(database.url).pathname.slice(1);
    // On the connections that are made from now on.
    const setReadOnly = async (value: 'on' | 'off'): Promise<void> => {
      await onDatabase(database.url, (client) =>
        client.query(`BEGIN READ WRITE; ALTER DATABASE ${name} SET default_transaction_read_only = ${value}; COMMIT`),
      );
      proxy.dropConnections();
    };
    await setReadOnly('on');
    await untilReady(app.url, false);
    expectProblem(await app.request('GET', '/health/ready'), 503, 'unavailable');
    expect((await ada.get(`/history/${chat.id}`)).status).toBe(200);
    for (const write of [
      () => ada.post('/messages', { chat_id: chat.id, text: 'refused' }),
      () => ada.post('/groups', { name: 'A group' }),
      () => ada.app.request('POST', '/auth/login', { body: { email: ada.email, password: PASSWORD } }),
      () => ada.app.request('POST', '/auth/refresh', { body: { refresh_token: ada.refreshToken } }),
    ]) {
      expectProblem(await write(), 503, 'unavailable');
    }
    await setReadOnly('off');
    await untilReady(app.url);
    expect(await ada.say(chat)).toMatchObject({ seq: 1 });
  });

  it('is told by /health/ready to any number of callers, without a connection of the pool', async () => {
    const held = Array.from({ length: 10 }, () => app.nest.get(DataSource).query('SELECT pg_sleep(2)'));
    const answers = Array.from({ length: 200 }, () => app.request('GET', '/health/ready'));
    const first = await Promise.race([
      Promise.all(answers).then((all) => new Set(all.map(({ status }) => status))),
      Promise.all(held).then(() => 'the statements'),
    ]);
    expect(first).toEqual(new Set([200]));
    await onDatabase(database.url, (client) =>
      client.query("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(2)'"),
    );
    await Promise.allSettled(held);
  });

  it('publishes nothing that was rolled back', async () => {
    class Happened {}
    const heard: object[] = [];
    app.nest.get(DomainEventBus).on(Happened, (event) => void heard.push(event));
    const unitOfWork = app.nest.get(UnitOfWork);
    const fail = unitOfWork.run(() => {
      unitOfWork.publish(new Happened());
      return Promise.reject(new Error('no'));
    });
    await expect(fail).rejects.toThrow('no');
    expect(heard).toHaveLength(0);
    await unitOfWork.run(() => {
      unitOfWork.publish(new Happened());
      expect(heard).toHaveLength(0);
      return Promise.resolve();
    });
    expect(heard).toHaveLength(1);
  });
});
