import { type Client, createClient } from '../../clients/typescript/src/client.js';
import type { ChatMessage } from '../../clients/typescript/src/message-map.js';
import type { Database, Storage } from '../../clients/typescript/src/storage/storage.js';
import { Browser } from '../../clients/typescript/test/links.js';
import { Tab } from '../../clients/typescript/test/tab.js';
import type { Message } from '../../src/contract/messages.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import type { Person, RunContext } from './caller.js';
import { pause } from './cluster.js';
import { DeviceRecord } from './device-record.js';
import { seen } from './history.js';
import type { Random } from './random.js';
import { tapSockets } from './socket-tap.js';

/** The pause between two actions, in milliseconds. */
const ACTION_PAUSE_MS = [40, 240] as const;
/** How many of its latest messages it may still edit or delete. */
const MAX_OWN = 10;
const PAGE = 100;
const LOOK_AGAIN_MS = 50;

/**
 * A device with the client of `clients/typescript`, which is closed and killed now and then, and goes on with what it
 * has stored. The history records what the client accepts, what it ends with, and all that its sockets carry.
 */
export class AppDevice {
  private readonly record: DeviceRecord;
  private readonly browser = new Browser();
  private tab: Tab | undefined;
  private database: Database | undefined;
  private unsubscribe: () => void = () => undefined;
  private texts = 0;
  private own: { readonly chat: number; readonly key: string }[] = [];

  private constructor(
    readonly name: string,
    readonly person: Person,
    private readonly context: RunContext,
    private readonly random: Random,
    private readonly storage: Storage,
    private readonly front: TcpProxy,
  ) {
    this.record = new DeviceRecord(context.history, name, person.id);
    tapSockets(front.origin, this.record);
  }

  /** A device that is signed in, and whose client doesn't run yet. */
  static async prepare(
    name: string,
    person: Person,
    context: RunContext,
    random: Random,
    storage: Storage,
  ): Promise<AppDevice> {
    const front = await TcpProxy.inFrontOf(random.pick(context.nodes).front.url);
    await storage.session.save(await person.signIn());
    return new AppDevice(name, person, context, random, storage, front);
  }

  /** Writes, reads, edits and deletes, and ends its client now and then, until it is told to stop. */
  async run(chats: readonly number[], isStopped: () => boolean): Promise<void> {
    await this.open();
    while (!isStopped()) {
      const dice = this.random.next();
      const chat = this.random.pick(chats);
      if (dice < 0.01) await this.restart();
      else if (dice < 0.02) await this.kill();
      else if (dice < 0.03)
        await this.client
          .chat(chat)
          .loadMembers()
          .catch(() => undefined);
      else if (dice < 0.15) await this.client.chat(chat).read();
      else if (dice < 0.25) await this.edit();
      else if (dice < 0.28) await this.delete();
      else await this.send(chat);
      await pause(this.random.between(...ACTION_PAUSE_MS));
    }
  }

  /** Resolves when nothing waits in the outbox but what was refused, and all that was missed has come. */
  async settle(mayWait: () => boolean): Promise<void> {
    const isSettled = async (): Promise<boolean> =>
      this.client.status.get().sync === 'synced' &&
      (await this.database!.outbox()).every(({ error }) => error !== null);
    while (!(await isSettled()) && mayWait()) await pause(LOOK_AGAIN_MS);
  }

  /** Records what the client has in the end. */
  async recordState(): Promise<void> {
    const { history } = this.context;
    const identity = { device: this.name, user: this.person.id };
    const chats = this.client.chats.list.get();
    for (const { id: chat } of chats) {
      history.add({ type: 'holds', ...identity, chat, messages: (await this.allOf(chat)).map(seen) });
    }
    history.add({
      type: 'client state',
      ...identity,
      chats: chats.map(({ id, last_read_seq: lastRead, members }) => ({
        chat: id,
        lastRead,
        members: members && members.map(({ user_id }) => user_id),
      })),
      outbox: (await this.database!.outbox()).map(({ kind, key, error }) => ({ kind, key, error })),
    });
  }

  async stop(): Promise<void> {
    await this.close();
    this.front.close();
  }

  private get client(): Client {
    return this.tab!.client!;
  }

  private async open(): Promise<void> {
    const open = async (userId: number): Promise<Database> => (this.database = await this.storage.open(userId));
    this.tab = new Tab(this.browser, { ...this.storage, open });
    this.tab.client = await createClient({ url: this.front.origin, ...this.tab.options });
    this.unsubscribe = this.client.status.subscribe(({ connection, sync }) => {
      if (connection === 'waiting') this.goElsewhere();
      if (connection === 'connected' && sync === 'synced') this.record.up();
    });
  }

  private async close(): Promise<void> {
    this.unsubscribe();
    await this.tab?.client?.close();
  }

  private async restart(): Promise<void> {
    await this.close();
    this.goElsewhere();
    await this.open();
  }

  /** Ends the client in the middle of what it does, and begins with what it has stored. */
  private async kill(): Promise<void> {
    this.unsubscribe();
    this.tab!.kill();
    // What a process had begun to write when it was killed is written, or isn't, before the next one reads.
    await this.database?.close();
    this.goElsewhere();
    await this.open();
  }

  /** As behind a proxy: the next connection goes to any node. */
  private goElsewhere(): void {
    this.front.retarget(this.random.pick(this.context.nodes).front.url);
    this.front.dropConnections();
  }

  private async send(chat: number): Promise<void> {
    const key = await this.client.chat(chat).send(`text ${this.name}-${(this.texts += 1)}`);
    this.context.history.add({ type: 'accepted', device: this.name, user: this.person.id, chat, key });
    this.own = [...this.own, { chat, key }].slice(-MAX_OWN);
  }

  /** Edits one of its latest messages that the server has. */
  private async edit(): Promise<void> {
    const sent = this.own.filter(({ chat, key }) => this.client.chat(chat).message(key).get()?.id);
    if (sent.length === 0) return;
    const { chat, key } = this.random.pick(sent);
    await this.client.chat(chat).edit(key, `edit ${(this.texts += 1)} of ${key}`);
  }

  /** Deletes the oldest of its latest messages, if the server has it. */
  private async delete(): Promise<void> {
    const [oldest] = this.own;
    if (!oldest || !this.client.chat(oldest.chat).message(oldest.key).get()?.id) return;
    this.own.shift();
    await this.client.chat(oldest.chat).remove(oldest.key);
  }

  /** All messages of a chat that the server has, as the client shows them. */
  private async allOf(id: number): Promise<Message[]> {
    const chat = this.client.chat(id);
    const shown = chat.messages({ limit: PAGE });
    const count = (): number => shown.state.get().keys.length;
    for (let before = -1; before < count() && shown.state.get().hasOlder;) {
      before = count();
      // It may have been removed from the chat, and not know.
      await shown.older().catch(() => undefined);
    }
    const views = shown.state.get().keys.map((key) => chat.message(key).get()!);
    return views.filter((view): view is ChatMessage & Message => view.seq !== null);
  }
}
