import { isDeepStrictEqual } from 'node:util';
import type { Chat } from '../../src/contract/chats.js';
import type { Message } from '../../src/contract/messages.js';
import type { Person } from './person.js';
import type { ShownChat, ShownMessage, State } from './program.js';

/** A client shows at least so many of the newest messages of a chat. */
const NEWEST = 20;

/** What the server has for a person. */
export interface Truth {
  chats: Chat[];
  /** By the id of their chat. */
  messages: Map<number, Message[]>;
}

export async function truthOf(me: Person): Promise<Truth> {
  const chats = await me.call<Chat[]>('GET', '/chats?limit=100');
  const messages = new Map<number, Message[]>();
  for (const { id, last_seq } of chats) {
    const page = `/messages/history/${id}?before_seq=${last_seq + 1}&limit=100`;
    messages.set(id, await me.call<Message[]>('GET', page));
  }
  return { chats, messages };
}

/** In which ways the client shows something else than the server has. */
export function differences(state: State, truth: Truth, userId: number): string[] {
  const ids = (chats: readonly { id: number }[]): number[] => chats.map(({ id }) => id).sort((a, b) => a - b);
  const [shown, real] = [ids(state.chats), ids(truth.chats)];
  if (!isDeepStrictEqual(shown, real)) return [`It shows the chats ${shown.join()}; there are ${real.join()}.`];
  return truth.chats.flatMap((chat) => {
    const own = state.chats.find(({ id }) => id === chat.id)!;
    return [...chatDifferences(own, chat), ...messageDifferences(own, truth.messages.get(chat.id)!, userId)];
  });
}

function chatDifferences(shown: ShownChat, chat: Chat): string[] {
  const fields = ['type', 'name', 'my_role', 'member_count', 'last_seq', 'last_read_seq', 'unread_count'] as const;
  return fields
    .filter((field) => shown[field] !== chat[field])
    .map((field) => `Chat ${chat.id}: ${field} is ${shown[field]}, and should be ${chat[field]}.`);
}

function messageDifferences({ id, messages }: ShownChat, real: readonly Message[], userId: number): string[] {
  const stored = messages.filter(({ seq }) => seq !== null);
  const found = messages
    .filter((message) => message.seq === null && message.status !== 'failed')
    .map((message) => `Chat ${id}: ${message.key} is ${message.status} still.`);
  found.push(
    ...messages
      .filter(({ change }) => change?.status === 'sending')
      .map((message) => `Chat ${id}: a change of ${message.key} is waiting still.`),
  );
  if (stored.length < Math.min(NEWEST, real.length)) {
    found.push(`Chat ${id}: it shows ${stored.length} of ${real.length} messages.`);
  }
  const newest = stored.length === 0 ? [] : real.slice(-stored.length).map((message) => shownAs(message, userId));
  for (const [index, message] of newest.entries()) {
    const { change: _, ...own } = stored[index]!;
    if (!isDeepStrictEqual(own, message)) {
      found.push(`Chat ${id}: it shows ${JSON.stringify(own)}, and the server has ${JSON.stringify(message)}.`);
    }
  }
  return found;
}

/** How a message of the server is to be shown. */
function shownAs(message: Message, userId: number): Omit<ShownMessage, 'change'> {
  const { client_message_id: key, id, seq, sender_id, text, is_read, reply_to_id, edited_at, deleted_at } = message;
  const status = is_read && sender_id === userId ? 'read' : 'sent';
  return { key, id, seq, sender_id, text, status, error: null, reply_to_id, edited_at, deleted_at };
}
