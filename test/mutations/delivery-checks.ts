import type { Check } from './check.js';

const FEED = 'src/realtime/delivery/chat.feed.ts';
const POSITIONS = 'src/realtime/delivery/published-positions.ts';
const UNPUBLISHED = 'src/realtime/delivery/unpublished-chats.publisher.ts';
const TAIL = 'src/realtime/delivery/log-tail.poller.ts';
const NODES = ['test/nodes'];

// Who hears what, and in which order.

export const deliveryChecks: readonly Check[] = [
  {
    name: 'whoever is removed hears nothing of it but that',
    file: 'src/realtime/delivery/chat-change.publisher.ts',
    cut: 'chat.memberIds.filter((userId) => userId !== member.user_id)',
    put: '[...chat.memberIds, member.user_id]',
    red: ['test/group-events'],
  },
  {
    name: 'reads are told to authors who are still there',
    file: 'src/realtime/delivery/chat-change.publisher.ts',
    cut: 'user_ids.filter((userId) => members.has(userId))',
    put: 'user_ids.filter(() => members.size > 0)',
    red: NODES,
  },
  {
    name: 'a kept list of members is as new as the message',
    file: 'src/chats/member-list.cache.ts',
    cut: '!list || list.version < version',
    put: '!list || version < 0',
    red: NODES,
  },
  {
    name: 'a change of members makes kept lists old',
    file: 'src/chats/chat.outbox.ts',
    cut: 'CASE WHEN $4 THEN last_change_seq + 1 ELSE members_seq END',
    put: 'CASE WHEN $4 THEN members_seq ELSE members_seq END',
    red: NODES,
  },
  {
    name: 'the log is looked at for what nobody was told of',
    file: TAIL,
    cut: 'if (behind.length > 0) await this.catchUp.add(behind.map(({ chat_id }) => chat_id));',
    red: NODES,
  },
  {
    name: 'a change that was told is not told again',
    file: UNPUBLISHED,
    cut: 'this.published.addChange(change.id);',
    red: NODES,
  },
  {
    name: 'a read that was told is not told again',
    file: FEED,
    cut: 'this.published.addChange(event.changeId);',
    red: NODES,
  },
  {
    name: 'a message is told at once only next to the one before',
    file: POSITIONS,
    cut: 'known.seq === seq - 1 && known.changeSeq',
    put: 'known.changeSeq',
    red: NODES,
  },
  {
    name: 'a message is told at once only after the changes before it',
    file: POSITIONS,
    cut: 'known.seq === seq - 1 && known.changeSeq === changeSeq',
    put: 'known.seq === seq - 1',
    red: NODES,
  },
  {
    name: 'a message of a chat that the node does not know is not told at once',
    file: POSITIONS,
    cut: 'idleMs > this.watermark.maxUnobservedMs',
    put: 'idleMs >= 0',
    red: NODES,
  },
  {
    name: 'a message waits for what is being caught up with',
    file: FEED,
    cut: '!this.catchUp.has(chatId) && ',
    red: NODES,
  },
  {
    name: 'a read waits for the message that was read',
    file: FEED,
    cut: 'this.catchUp.has(chat_id) || !this.published.hasMessage(chat_id, { seq, id: message_id })',
    put: 'chat_id < 0 && seq + message_id < 0',
    red: NODES,
  },
  {
    name: 'what was told is not told again when what comes after it fails',
    file: UNPUBLISHED,
    cut: 'this.published.advance(id, { seq: messages.at(-1)!.seq, changeSeq: 0 });',
    red: NODES,
  },
  {
    name: 'a read of a message that the node does not know waits',
    file: POSITIONS,
    cut: 'id <= this.watermark.position.messageId',
    put: 'id > 0',
    red: NODES,
  },
  {
    name: 'a chat that was caught up with is known',
    file: UNPUBLISHED,
    cut: 'this.published.advance(chat.id, { seq: chat.head.last_seq, changeSeq: chat.head.last_change_seq });',
    red: NODES,
  },
  {
    name: 'a change is told after the messages before it',
    file: UNPUBLISHED,
    cut: 'message.seq > change.after_seq',
    put: 'message.seq > 0',
    red: NODES,
  },
  {
    name: 'a change that came after the chat was looked at waits',
    file: UNPUBLISHED,
    cut: ' || isAhead(change, chat.head)',
    red: NODES,
  },
  {
    name: 'a message that others wrote tells its reads',
    file: UNPUBLISHED,
    cut: 'readsOf(id, logged, head!.read_by_all_seq, new Set(memberIds))',
    put: 'readsOf(id, [], head!.read_by_all_seq, new Set(memberIds))',
    red: NODES,
  },
  {
    name: 'a node begins where the log ends',
    file: TAIL,
    cut: 'this.watermark.start(await this.log.newest());',
    put: 'this.watermark.start({ messageId: 0, changeId: 0 });',
    red: NODES,
  },
  {
    name: 'Redis takes hints to the other nodes',
    file: 'src/realtime/delivery/node.bus.ts',
    cut: '    this.underWay += 1;',
    put: '    if (this.underWay >= 0) return;',
    red: NODES,
  },
  {
    name: 'Redis takes no list of many members',
    file: FEED,
    cut: 'user_ids: chat.memberIds ?? undefined',
    put: 'user_ids: userIds',
    red: NODES,
  },
];
