import { join } from 'node:path';
import { fileStorage } from '../../clients/typescript/src/node/file-storage.js';
import { memoryStorage } from '../../clients/typescript/src/storage/memory.js';
import type { KeptSession } from '../../clients/typescript/src/storage/storage.js';
import type { Chat } from '../../src/contract/chats.js';
import type { Account, Tokens } from '../../src/contract/users.js';
import { request } from '../support/http.js';
import { AppDevice } from './app-device.js';
import type { Person, RunContext } from './caller.js';
import { ChatClient } from './client.js';
import { type Cluster, type Node, pause } from './cluster.js';
import type { History } from './history.js';
import type { Random } from './random.js';

const PASSWORD = 'correct horse battery';
const USERS = 6;
const GROUPS = 3;
/** The users who have a device with the client, too, and whether it keeps its data in files. */
const APPS = [
  { user: 0, isInFiles: false },
  { user: 2, isInFiles: true },
  { user: 4, isInFiles: true },
];
/** The pause between two actions of a device, and between two membership changes, in milliseconds. */
const ACTION_PAUSE_MS = [40, 240] as const;
const MEMBERSHIP_CHANGE_MS = [300, 900] as const;

/** Users with two devices each, and some with a third that runs the client, who send, edit, delete and read messages, and are added to groups and removed. */
export class Load {
  readonly clients: ChatClient[] = [];
  readonly apps: AppDevice[] = [];
  readonly chats: number[] = [];
  private readonly loops: Promise<void>[] = [];
  private readonly connections: Promise<void>[] = [];
  private stopped = false;
  private mayRetry = true;

  private constructor(
    private readonly history: History,
    private readonly random: Random,
    private readonly people: readonly Person[],
    private readonly groups: readonly number[],
    /** Adds and removes members. */
    private readonly owner: ChatClient,
    private readonly probes: ReadonlyMap<Node, ChatClient>,
  ) {}

  /** Registers the users, and creates the chats and the clients. Nothing is connected or sent before `start`. */
  static async prepare({ nodes, folder }: Cluster, history: History, random: Random, resyncs: boolean): Promise<Load> {
    const { origin } = nodes[0]!.front;
    const people = await Promise.all(Array.from({ length: USERS }, (_, index) => register(origin, `user${index + 1}`)));
    const [owner, ...others] = people as [Person, ...Person[]];
    const createChat = async (members: readonly Person[], body: object): Promise<number> => {
      const { id } = (await request<Chat>(origin, 'POST', '/chats', { token: owner.token, body })).body;
      history.add({ type: 'chat created', chat: id, users: [owner, ...members].map((person) => person.id) });
      return id;
    };
    const member_ids = others.map(({ id }) => id);
    const groups: number[] = [];
    for (let index = 1; index <= GROUPS; index += 1) {
      groups.push(await createChat(others, { type: 'group', name: `Group ${index}`, member_ids }));
    }
    const world: RunContext = { history, nodes, resyncs };
    const probes = new Map(
      nodes.map((node) => [
        node,
        new ChatClient(`probe-${node.name}`, owner, { ...world, nodes: [node] }, random.fork()),
      ]),
    );
    const changer = new ChatClient('owner', owner, world, random.fork());
    const load = new Load(history, random, people, groups, changer, probes);
    const [friend] = others as [Person];
    load.chats.push(...groups, await createChat([friend], { type: 'private', user_id: friend.id }));
    for (const [index, person] of people.entries()) {
      for (const device of ['a', 'b']) {
        load.clients.push(new ChatClient(`${index + 1}${device}`, person, world, random.fork()));
      }
    }
    for (const { user, isInFiles } of APPS) {
      const name = `${user + 1}c`;
      const storage = isInFiles ? await fileStorage(join(folder, name)) : memoryStorage();
      load.apps.push(await AppDevice.prepare(name, people[user]!, world, random.fork(), storage));
    }
    return load;
  }

  start(): void {
    this.connections.push(...this.clients.map((client) => client.run()));
    this.loops.push(
      ...this.clients.map((client, index) => this.write(client, this.random.fork(), index)),
      ...this.apps.map((app) => app.run(this.chatsOf(app), () => this.stopped)),
      this.changeMembers(),
    );
  }

  /** Resolves when this node has accepted a message: the node and its database serve again. */
  async probe(node: Node): Promise<void> {
    await this.probes.get(node)!.send(this.groups[0]!, 'rest', () => this.stopped);
  }

  /** Stops new actions. Resolves when the outcome of every request is known, or `ms` milliseconds have passed. */
  async drain(ms: number): Promise<void> {
    this.stopped = true;
    const impatient = setTimeout(() => (this.mayRetry = false), ms);
    await Promise.all(this.loops);
    await Promise.all(this.apps.map((app) => app.settle(() => this.mayRetry)));
    clearTimeout(impatient);
  }

  /** Makes every device fetch all messages. */
  async readEverything(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.readEverything()));
    await Promise.all(this.apps.map((app) => app.recordState()));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    for (const client of this.clients) client.stop();
    await Promise.all(this.connections);
    await Promise.all(this.apps.splice(0).map((app) => app.stop()));
  }

  private async write(client: ChatClient, random: Random, index: number): Promise<void> {
    const giveUp = (): boolean => !this.mayRetry;
    // The devices of the last user send over REST.
    const over = index >= this.clients.length - 2 ? 'rest' : 'socket';
    while (!this.stopped) {
      const chat = random.pick(this.chatsOf(client));
      const dice = random.next();
      if (dice < 0.15) await client.read(chat, giveUp);
      else if (dice < 0.25) await client.edit(giveUp);
      else if (dice < 0.28) await client.delete(giveUp);
      else await client.send(chat, over, giveUp);
      await pause(random.between(...ACTION_PAUSE_MS));
    }
  }

  /** Only the first two users are in the private chat. Removed users send to groups, too: that must be refused. */
  private chatsOf({ person }: ChatClient | AppDevice): readonly number[] {
    return this.people.indexOf(person) < 2 ? this.chats : this.groups;
  }

  /** Adds users to groups and removes them, one change at a time. The owner and one more user always stay. */
  private async changeMembers(): Promise<void> {
    const random = this.random.fork();
    const out = new Set<string>();
    while (!this.stopped) {
      await pause(random.between(...MEMBERSHIP_CHANGE_MS));
      const group = random.pick(this.groups);
      const person = random.pick(this.people.slice(2));
      const place = `${group} ${person.id}`;
      const isOut = out.has(place);
      await this.owner.setMember(isOut ? 'add' : 'remove', group, person.id);
      if (!out.delete(place)) out.add(place);
    }
  }
}

async function register(origin: string, name: string): Promise<Person> {
  const email = `${name}@example.com`;
  const body = { name, email, password: PASSWORD };
  const account = (await request<Account>(origin, 'POST', '/auth/register', { body })).body;
  const signIn = async (): Promise<KeptSession> => {
    const login = await request<Tokens>(origin, 'POST', '/auth/login', {
      body: { username: email, password: PASSWORD },
    });
    if (login.status !== 200) throw new Error(`${name} can't log in: ${login.status}`);
    const { access_token, refresh_token, expires_in } = login.body;
    return { account, access_token, refresh_token, expires_at: Date.now() + 1_000 * expires_in };
  };
  return { id: account.id, token: (await signIn()).access_token, signIn };
}
