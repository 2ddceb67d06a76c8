import type { Chat } from '../../src/contract/chats.js';
import { request } from '../support/http.js';
import type { Person, World } from './caller.js';
import { ChatClient } from './client.js';
import { type Cluster, type Node, pause } from './cluster.js';
import type { History } from './history.js';
import type { Random } from './random.js';

const PASSWORD = 'correct horse battery';
const USERS = 6;
const GROUPS = 3;
/** The time between two deeds of a device, and between two changes of members. */
const THINK_MS = [40, 240] as const;
const MEMBERS_MS = [300, 900] as const;

/** People with two devices each, who write, edit, delete, read, and are put into groups and taken out of them. */
export class Load {
  readonly clients: ChatClient[] = [];
  readonly chats: number[] = [];
  private readonly loops: Promise<void>[] = [];
  private readonly connections: Promise<void>[] = [];
  private stopped = false;
  private patience = true;

  private constructor(
    private readonly history: History,
    private readonly random: Random,
    private readonly people: readonly Person[],
    private readonly groups: readonly number[],
    /** Changes who is a member. */
    private readonly owner: ChatClient,
    private readonly probes: ReadonlyMap<Node, ChatClient>,
  ) {}

  /** Registers the people, makes the chats, connects the devices; nobody has sent anything yet. */
  static async prepare({ nodes }: Cluster, history: History, random: Random, resyncs: boolean): Promise<Load> {
    const { origin } = nodes[0]!.front;
    const people = await Promise.all(Array.from({ length: USERS }, (_, index) => register(origin, `user${index + 1}`)));
    const [owner, ...others] = people as [Person, ...Person[]];
    const found = async (members: readonly Person[], body: object): Promise<number> => {
      const { id } = (await request<Chat>(origin, 'POST', '/chats', { token: owner.token, body })).body;
      history.add({ type: 'founded', chat: id, users: [owner, ...members].map((person) => person.id) });
      return id;
    };
    const member_ids = others.map(({ id }) => id);
    const groups: number[] = [];
    for (let index = 1; index <= GROUPS; index += 1) {
      groups.push(await found(others, { type: 'group', name: `Group ${index}`, member_ids }));
    }
    const world: World = { history, nodes, resyncs };
    const probes = new Map(
      nodes.map((node) => [
        node,
        new ChatClient(`probe-${node.name}`, owner, { ...world, nodes: [node] }, random.fork()),
      ]),
    );
    const changer = new ChatClient('owner', owner, world, random.fork());
    const load = new Load(history, random, people, groups, changer, probes);
    const [friend] = others as [Person];
    load.chats.push(...groups, await found([friend], { type: 'private', user_id: friend.id }));
    for (const [index, person] of people.entries()) {
      for (const device of ['a', 'b']) {
        load.clients.push(new ChatClient(`${index + 1}${device}`, person, world, random.fork()));
      }
    }
    return load;
  }

  start(): void {
    this.connections.push(...this.clients.map((client) => client.run()));
    this.loops.push(...this.clients.map((client, index) => this.write(client, this.random.fork(), index)), this.move());
  }

  /** Resolves when this very node has taken a message: it lives, and its database, too. */
  async probe(node: Node): Promise<void> {
    await this.probes.get(node)!.send(this.groups[0]!, 'rest', () => this.stopped);
  }

  /** Nobody begins anything new; resolves when every sender knows what has become of its messages. */
  async drain(ms: number): Promise<void> {
    this.stopped = true;
    const impatient = setTimeout(() => (this.patience = false), ms);
    await Promise.all(this.loops);
    clearTimeout(impatient);
  }

  /** Every device gets all there is. */
  async complete(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.complete()));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    for (const client of this.clients) client.stop();
    await Promise.all(this.connections);
  }

  private async write(client: ChatClient, random: Random, index: number): Promise<void> {
    const giveUp = (): boolean => !this.patience;
    // The devices of the last person write over REST.
    const over = index >= this.clients.length - 2 ? 'rest' : 'socket';
    while (!this.stopped) {
      const chat = random.pick(this.mayWriteTo(client));
      const dice = random.next();
      if (dice < 0.15) await client.read(chat, giveUp);
      else if (dice < 0.25) await client.edit(giveUp);
      else if (dice < 0.28) await client.delete(giveUp);
      else await client.send(chat, over, giveUp);
      await pause(random.between(...THINK_MS));
    }
  }

  /** The private chat is of the first two people. Groups are written to by whoever was taken out of them, too: that must be refused. */
  private mayWriteTo({ person }: ChatClient): readonly number[] {
    return this.people.indexOf(person) < 2 ? this.chats : this.groups;
  }

  /** Somebody is put into a group or taken out of it, one change at a time; the owner and one more always stay. */
  private async move(): Promise<void> {
    const random = this.random.fork();
    const out = new Set<string>();
    while (!this.stopped) {
      await pause(random.between(...MEMBERS_MS));
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
  const account = await request(origin, 'POST', '/auth/register', { body: { name, email, password: PASSWORD } });
  const login = await request(origin, 'POST', '/auth/login', { body: { username: email, password: PASSWORD } });
  if (login.status !== 200) throw new Error(`${name} can't log in: ${login.status}`);
  return { id: account.body.id as number, token: login.body.access_token as string };
}
