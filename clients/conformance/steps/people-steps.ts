import type { Chat } from '../../../src/contract/chats.js';
import type { PeopleStep } from '../scenario.js';
import type { Handlers, Stage } from '../stage.js';

const groupOf = (stage: Stage, { chat }: { chat?: string }): string => `/groups/${stage.chat(chat)}`;

const memberOf = (stage: Stage, step: { chat?: string; who: string }): string =>
  `${groupOf(stage, step)}/members/${stage.person(step.who).id}`;

const blockOf = (stage: Stage, { who }: { who: string }): string => `/users/${stage.person(who).id}/block`;

/** What only other people do. */
export const peopleSteps: Handlers<PeopleStep> = {
  create_group: (stage, { chat, by, members }) => createChat(stage, chat, 'group', [by, ...members]),
  rename_group: (stage, step) => stage.person(step.by).call('PATCH', groupOf(stage, step), { name: step.name }),
  delete_group: (stage, step) => stage.person(step.by).call('DELETE', groupOf(stage, step)),
  add_member: (stage, step) => stage.person(step.by).call('PUT', memberOf(stage, step)),
  remove_member: (stage, step) => stage.person(step.by).call('DELETE', memberOf(stage, step)),
  block: (stage, step) => stage.person(step.by).call('PUT', blockOf(stage, step)),
  unblock: (stage, step) => stage.person(step.by).call('DELETE', blockOf(stage, step)),
  end_sessions: (stage, { by }) => stage.person(by).call('DELETE', '/auth/sessions'),
};

/** Makes a chat, and keeps its id under this name. */
export async function createChat(
  stage: Stage,
  name: string,
  type: 'private' | 'group',
  members: readonly string[],
): Promise<void> {
  const [maker, ...others] = members.map((member) => stage.person(member));
  const ids = others.map(({ id }) => id);
  const { id } =
    type === 'group'
      ? await maker!.call<Chat>('POST', '/groups', { name, member_ids: ids })
      : await maker!.call<Chat>('POST', '/chats', { type, user_id: ids[0] ?? maker!.id });
  stage.chats.set(name, id);
}
