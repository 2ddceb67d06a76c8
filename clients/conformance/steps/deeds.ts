import { randomUUID } from 'node:crypto';
import type { Message } from '../../../src/contract/messages.js';
import type { Deed } from '../scenario.js';
import type { Handlers, Stage } from '../stage.js';

type Change = Exclude<Deed, { do: 'send' }>;
type Send = Extract<Deed, { do: 'send' }>;

/** Other people send so many at once: theirs have no order. */
const AT_ONCE = 20;

/** What the client under test and other people do. */
export const deeds: Handlers<Deed> = {
  async send(stage, step) {
    const { text, times = 1, by } = step;
    const texts = times === 1 ? [text] : Array.from({ length: times }, (_, index) => `${text} ${index + 1}`);
    const atOnce = by === undefined ? 1 : AT_ONCE;
    for (let done = 0; done < texts.length; done += atOnce) {
      await Promise.all(texts.slice(done, done + atOnce).map((one) => send(stage, step, one)));
    }
  },
  edit: change,
  remove: change,
  read: change,
};

async function send(stage: Stage, { by, chat = 'chat', as, reply_to }: Send, text: string): Promise<void> {
  const command = { chat_id: stage.chat(chat), text };
  const reply = reply_to === undefined ? {} : { reply_to: stage.message(reply_to).key };
  const key =
    by === undefined
      ? (await stage.client.do<{ key: string }>('send', { ...command, ...reply })).key
      : await sendAs(stage, by, command);
  const sent = { chat, key, isOutOfOrder: false };
  if (by === undefined) stage.accepted.push(sent);
  if (as !== undefined) stage.named.set(as, sent);
}

async function sendAs(stage: Stage, by: string, command: object): Promise<string> {
  const client_message_id = randomUUID();
  await stage.person(by).call('POST', '/messages', { ...command, client_message_id });
  return client_message_id;
}

async function change(stage: Stage, step: Change): Promise<void> {
  if (step.by === undefined) await changeAsClient(stage, step);
  else await changeAs(stage, step, step.by);
}

async function changeAsClient(stage: Stage, step: Change): Promise<void> {
  const sent = stage.message(step.message);
  // One that was never tried is dropped.
  if (step.do === 'remove') sent.isOutOfOrder = true;
  // A message of somebody else must have come.
  await stage.until(({ chats }) => chats.some(({ messages }) => messages.some(({ key }) => key === sent.key)));
  const body = { chat_id: stage.chat(sent.chat), key: sent.key };
  await stage.client.do(step.do, step.do === 'edit' ? { ...body, text: step.text } : body);
}

async function changeAs(stage: Stage, step: Change, by: string): Promise<void> {
  const { chat, key } = stage.message(step.message);
  const person = stage.person(by);
  const history = await person.call<Message[]>('GET', `/messages/history/${stage.chat(chat)}?limit=100`);
  const { id } = history.find(({ client_message_id }) => client_message_id === key)!;
  if (step.do === 'edit') await person.call('PATCH', `/messages/${id}`, { text: step.text });
  if (step.do === 'remove') await person.call('DELETE', `/messages/${id}`);
  if (step.do === 'read') await person.call('POST', `/messages/${id}/read`);
}
