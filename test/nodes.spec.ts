import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import type { Chat } from '../src/contract/chats.js';
import { LogTailPoller } from '../src/realtime/delivery/log-tail.poller.js';
import { receivedIn } from './support/received-events.js';
import { onDatabase, waitingForLock } from './support/database.js';
import { Device } from './support/device.js';
import { request } from './support/http.js';
import { TestApp, type TestUser } from './support/test-app.js';
import { deliversAcrossNodes, TwoNodes, seqsReceived } from './support/two-nodes.js';

describe('two nodes on one database, without Redis', () => {
  let cluster: TwoNodes;
  beforeAll(async () => (cluster = await TwoNodes.start(undefined)));
  afterAll(() => cluster.close());

  deliversAcrossNodes(() => cluster);

  /** Commits a message without publishing it, like a node that dies right after its commit. */
  const commitUnheard = ({ id }: Chat, sender: TestUser, text: string): Promise<unknown> =>
    cluster.nodes[0].sql(
      'SELECT append_messages(ARRAY[$1::bigint], ARRAY[$2::bigint], ARRAY[$3], ARRAY[$3], ARRAY[NULL::bigint])',
      [id, sender.id, text],
    );

  it('publish what a node that died after its commit did not publish', async () => {
    const [node] = cluster.nodes;
    const [ada, bob] = (await node.users(2)) as [TestUser, TestUser];
    const group = await ada.group(bob);
    const devices = await Promise.all([ada.device(), cluster.onOtherNode(bob).device()]);
    await ada.say(group);
    await commitUnheard(group, bob, 'unheard');
    await commitUnheard(group, bob, 'of');
    // The next message written on this node waits for them.
    await ada.say(group);
    for (const device of devices) {
      await device.until(() => seqsReceived(device, group).includes(4));
      expect(seqsReceived(device, group)).toEqual([1, 2, 3, 4]);
    }
    await commitUnheard(group, bob, 'and without a next one');
    for (const device of devices) await device.next('message:created', ({ seq }) => seq === 5);
    await devices[0].next('read_receipt', ({ reader_id, seq }) => reader_id === bob.id && seq === 4);
  });

  it('publish nothing twice when the database fails in the middle of a catch-up', async () => {
    const [node] = cluster.nodes;
    const [ada, eve] = (await node.users(2)) as [TestUser, TestUser];
    const group = await ada.group();
    const [adas, eves] = await Promise.all([ada.device(), eve.device()]);
    await commitUnheard(group, ada, 'once');
    // The view of the chat for new members can't be read; the message before it can.
    await node.sql('ALTER TABLE private_chats RENAME TO away');
    await ada.put(`/groups/${group.id}/members/${eve.id}`);
    await adas.next('message:created');
    expect(eves.all('chat:created')).toEqual([]);
    await node.sql('ALTER TABLE away RENAME TO private_chats');
    await eves.next('chat:created');
    await adas.next('member:added');
    expect(receivedIn(adas, group).map(({ event }) => event)).toEqual(['message:created', 'member:added']);
  });

  it('publish the current name, also one that is set between the two reads of a catch-up', async () => {
    const [node] = cluster.nodes;
    const ada = await node.user();
    const group = await ada.group();
    const device = await ada.device();
    await ada.say(group);
    await onDatabase(node.databaseUrl, async (client) => {
      await client.query('BEGIN');
      await client.query('LOCK TABLE chat_changes');
      await commitUnheard(group, ada, 'so that the next one is not told at once');
      await ada.say(group);
      await waitingForLock(client, 1, 'chat_id = ANY($1)');
      await client.query(`UPDATE groups SET name = 'New name' WHERE chat_id = $1`, [group.id]);
      await client.query('UPDATE chats SET last_change_seq = 1 WHERE id = $1', [group.id]);
      const renamed = `INSERT INTO chat_changes (chat_id, seq, change_seq, kind, data) VALUES ($1, 3, 1, 'renamed', '{}')`;
      await client.query(renamed, [group.id]);
      await client.query('COMMIT');
    });
    await device.next('chat:updated');
    expect(device.all('chat:updated').map(({ name }) => name)).toEqual(['New name']);
    expect(seqsReceived(device, group)).toEqual([1, 2, 3]);
  });

  it('publish no read receipt to an author who has left meanwhile', async () => {
    const [ada, bob] = (await cluster.nodes[0].users(2)) as [TestUser, TestUser];
    const group = await ada.group(bob);
    const { id } = await bob.say(group);
    const device = await cluster.onOtherNode(bob).device();
    await ada.post(`/messages/${id}/read`);
    await ada.delete(`/groups/${group.id}/members/${bob.id}`);
    // The other node may have polled between the two.
    const heard = device.all('read_receipt');
    await device.next('chat:removed');
    expect(device.all('read_receipt')).toEqual(heard);
  });

  it('publish what was committed since they started, and nothing older', async () => {
    const [node] = cluster.nodes;
    const ada = await node.user();
    const group = await ada.group();
    await ada.say(group);
    const late = await TestApp.start({ databaseUrl: node.databaseUrl });
    const device = await late.connect(ada.token);
    // The new node has published nothing of this chat yet, so it can't detect the gap by itself.
    await commitUnheard(group, ada, 'unheard');
    await device.command('message:send', { chat_id: group.id, text: 'heard', client_message_id: 'heard' });
    await device.until(() => seqsReceived(device, group).includes(3));
    await late.nest.get(LogTailPoller).poll();
    expect(seqsReceived(device, group)).toEqual([2, 3]);
    await late.close();
  });

  describe('behind a load balancer', () => {
    const balancers: Server[] = [];
    afterEach(() => Promise.all(balancers.splice(0).map((server) => once(server.close(), 'close'))));

    /** Gives each connection to the node that `pick` names by its index. Returns the address for clients. */
    const balance = async (pick: () => number): Promise<string> => {
      const server = createServer((socket) => {
        const onward = connect(Number(new URL(cluster.nodes[pick()]!.url).port), '127.0.0.1');
        for (const end of [socket, onward]) end.on('error', () => undefined);
        socket.pipe(onward).pipe(socket);
      });
      await once(server.listen(0, '127.0.0.1'), 'listening');
      balancers.push(server);
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    };
    /** The next node for each connection, whoever it is from. */
    const inTurns = (): (() => number) => {
      let connections = 0;
      return () => (connections += 1) % 2;
    };
    const polling = '/socket.io/?EIO=4&transport=polling';
    /** On a connection of its own: `fetch` would keep one. */
    const get = (url: string, path: string) => request(url, 'GET', path, { headers: { Connection: 'close' } });

    it('serve polling clients, and their change to WebSocket, with sticky sessions', async () => {
      const ada = await cluster.nodes[0].user();
      for (const node of [0, 1]) {
        const url = await balance(() => node);
        const device = await Device.connect(url, ada.token, ['polling', 'websocket']);
        const { engine } = device.socket.io;
        while (engine.transport.name !== 'websocket') await new Promise((done) => void engine.once('upgrade', done));
        const group = await ada.group();
        await ada.say(group);
        await device.next('message:created', ({ chat_id }) => chat_id === group.id);
        device.close();
      }
    });

    it('refuse a poll on the wrong node with 400, and serve WebSocket clients, without sticky sessions', async () => {
      const ada = await cluster.nodes[0].user();
      const url = await balance(inTurns());
      const { sid } = JSON.parse((await get(url, polling)).body.slice(1)) as { sid: string };
      const lost = await get(url, `${polling}&sid=${sid}`);
      expect([lost.status, lost.body]).toEqual([400, { code: 1, message: 'Session ID unknown' }]);
      const devices = [await Device.connect(url, ada.token), await Device.connect(url, ada.token)];
      const group = await ada.group();
      await ada.say(group);
      for (const device of devices) {
        await device.next('message:created', ({ chat_id }) => chat_id === group.id);
        device.close();
      }
    });
  });
});
