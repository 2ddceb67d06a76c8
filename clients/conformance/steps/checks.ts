import type { Message } from '../../../src/contract/messages.js';
import { differences, truthOf } from '../compare.js';
import type { ShownMessage, State } from '../program.js';
import type { Check } from '../scenario.js';
import { type Handlers, ME, type Stage } from '../stage.js';

/** What is waited for, and what must be so. */
export const checks: Handlers<Check> = {
  until: (stage, { message, status, error }) =>
    untilMessage(stage, message, (shown) => isStatus(shown.status, status) && isError(shown.error, error)),
  until_change: (stage, { message, status, error }) =>
    untilMessage(stage, message, ({ change }) => change?.status === status && isError(change.error, error)),
  until_synced: (stage) => stage.until(({ is_synced }) => is_synced),
  until_disconnected: (stage) => stage.until(({ is_connected }) => !is_connected),
  until_signed_out: (stage) => stage.until(({ user_id }) => user_id === null),
  faults_happened: ({ proxy }) => proxy.faultsHappened(),
  tries({ proxy }, { command, text, times }) {
    const { length } = proxy.tries.filter(
      (one) => one.command === command && (text === undefined || one.payload.text === text),
    );
    if (length !== times) throw new Error(`${command} was tried ${length} times`);
  },
  async equal(stage) {
    const me = stage.person(ME);
    for (let after = -1; ;) {
      const state = await stage.client.state(after);
      after = state.version;
      if (!state.is_synced) continue;
      const truth = await truthOf(me);
      stage.differences = differences(state, truth, me.id);
      if (stage.differences.length > 0) continue;
      checkAccepted(stage, state, truth.messages);
      return;
    }
  },
};

const messagesOf = ({ chats }: State): ShownMessage[] => chats.flatMap(({ messages }) => messages);

/** What is read has been sent. */
const isStatus = (shown: string, wanted: string): boolean =>
  shown === wanted || (wanted === 'sent' && shown === 'read');

const isError = (shown: string | null, wanted: string | undefined): boolean => wanted === undefined || wanted === shown;

function untilMessage(stage: Stage, name: string, fits: (message: ShownMessage) => boolean): Promise<void> {
  const { key } = stage.message(name);
  return stage.until((state) => messagesOf(state).some((message) => message.key === key && fits(message)));
}

/** Each accepted message is stored once, or has failed; and they are in their order. */
function checkAccepted(stage: Stage, state: State, messages: ReadonlyMap<number, readonly Message[]>): void {
  const last = new Map<number, number>();
  for (const { chat, key, isOutOfOrder } of stage.accepted) {
    const chatId = stage.chat(chat);
    // The person isn't in that chat any more.
    if (!messages.has(chatId)) continue;
    const stored = messages.get(chatId)!.filter(({ client_message_id }) => client_message_id === key);
    const mayBeMissing = isOutOfOrder || messagesOf(state).some((one) => one.key === key && one.status === 'failed');
    if (stored.length > 1 || (stored.length === 0 && !mayBeMissing)) {
      throw new Error(`The message ${key} was accepted, and is stored ${stored.length} times.`);
    }
    if (isOutOfOrder || stored.length === 0) continue;
    if (stored[0]!.seq < (last.get(chatId) ?? 0)) throw new Error(`The message ${key} is behind a later one.`);
    last.set(chatId, stored[0]!.seq);
  }
}
