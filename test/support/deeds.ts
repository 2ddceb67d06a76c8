import fc from 'fast-check';
import { NameSweeper } from '../../src/chats/name.sweeper.js';
import type { Chat } from '../../src/contract/chats.js';
import type { Message } from '../../src/contract/messages.js';
import type { TestApp, TestUser } from './test-app.js';

/** How many people there are in a world. */
export const PEOPLE = 3;

const WEIGHTS = {
  send: 8,
  edit: 3,
  delete: 2,
  read: 3,
  remove: 2,
  add: 3,
  rename: 1,
  name: 2,
  role: 2,
  group: 1,
  sync: 6,
};
type Kind = keyof typeof WEIGHTS;

/** What somebody does. `who` is the index of a person; `pick`, modulo the number of things, says to which one. */
export interface Deed {
  readonly kind: Kind;
  readonly who: number;
  readonly pick: number;
}

export const deed: fc.Arbitrary<Deed> = fc.record({
  kind: fc.constantFrom(...(Object.keys(WEIGHTS) as Kind[]).flatMap((kind) => Array<Kind>(WEIGHTS[kind]).fill(kind))),
  who: fc.nat(PEOPLE - 1),
  pick: fc.nat(1_000),
});

/** The chats of a run, and what people do in them. Here a refusal is as good as a success. */
export class World {
  readonly groups: Chat[] = [];
  private readonly messages: Message[] = [];

  constructor(readonly users: readonly TestUser[]) {}

  /** Does all deeds but syncs, which are for the caller. */
  async do({ kind, who, pick }: Deed): Promise<void> {
    const user = this.users[who]!;
    const group = this.groups[pick % this.groups.length]!;
    const message = this.messages[pick % (this.messages.length || 1)];
    const other = this.users[pick % PEOPLE]!;
    const member = `/groups/${group.id}/members/${other.id}`;
    if (kind === 'send') {
      const { status, body } = await user.post<Message>('/messages', { chat_id: group.id, text: `text ${pick}` });
      if (status === 201) this.messages.push(body);
    }
    if (kind === 'edit' && message) await user.patch(`/messages/${message.id}`, { text: `edited ${pick}` });
    if (kind === 'delete' && message) await user.delete(`/messages/${message.id}`);
    if (kind === 'read' && message) await user.post(`/messages/${message.id}/read`);
    if (kind === 'remove') await user.delete(member);
    if (kind === 'add') await user.put(member);
    if (kind === 'rename') await user.patch(`/groups/${group.id}`, { name: `name ${pick}` });
    if (kind === 'name') await user.patch('/users/me', { name: `person ${pick}` });
    if (kind === 'role') await user.patch(member, { role: ['member', 'admin', 'owner'][pick % 3] });
    if (kind === 'group') this.groups.push(await user.group(...this.users));
  }

  /** Resolves when all chats have been told the names of the people. */
  async tellNames(app: TestApp): Promise<void> {
    for (const { id } of this.users) {
      const steps = app.nest.get(NameSweeper).tell(id);
      while (!(await steps.next()).done);
    }
  }
}
