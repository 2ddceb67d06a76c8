import type { Chat } from '../../src/contract/chats.js';
import type { Message } from '../../src/contract/messages.js';
import type { TestUser } from './test-app.js';

/** `ada` owns the group of `bob` and `cyd`, in which she has said something; `dan` isn't in it. `bob` syncs. */
export interface Cast {
  readonly ada: TestUser;
  readonly bob: TestUser;
  readonly cyd: TestUser;
  readonly dan: TestUser;
  readonly group: Chat;
  readonly said: Message;
}

/** What may happen between the answer to a sync and its arrival. */
export const OVERTAKING_EVENTS: [event: string, cause: (cast: Cast) => Promise<unknown>][] = [
  ['a new message', ({ ada, group }) => ada.say(group)],
  ['an edit', ({ ada, said }) => ada.patch(`/messages/${said.id}`, { text: 'edited' })],
  ['a deletion', ({ ada, said }) => ada.delete(`/messages/${said.id}`)],
  ['a new name', ({ ada, group }) => ada.patch(`/groups/${group.id}`, { name: 'Another name' })],
  ['two changes', (cast) => OVERTAKING_EVENTS[3]![1](cast).then(() => OVERTAKING_EVENTS[1]![1](cast))],
  ['a new member', ({ ada, group, dan }) => ada.put(member(group, dan))],
  ['a member who leaves', ({ cyd, group }) => cyd.delete(member(group, cyd))],
  ['a new role', ({ ada, group, bob }) => ada.patch(member(group, bob), { role: 'admin' })],
  ['a read on another device', ({ bob, said }) => bob.post(`/messages/${said.id}/read`)],
  ['a new chat', ({ ada, bob }) => ada.group(bob)],
  ['a removal', ({ ada, group, bob }) => ada.delete(member(group, bob))],
  [
    'a removal and a return',
    async ({ ada, group, bob }) => {
      await ada.delete(member(group, bob));
      await ada.put(member(group, bob));
    },
  ],
];

const member = (group: Chat, { id }: TestUser): string => `/groups/${group.id}/members/${id}`;
