import type { Check } from './check.js';

const FEED = 'src/realtime/delivery/chat.feed.ts';
const POSITIONS = 'src/realtime/delivery/published-positions.ts';
const UNPUBLISHED = 'src/realtime/delivery/unpublished-chats.publisher.ts';
const TAIL = 'src/realtime/delivery/log-tail.poller.ts';
const MATCHER = 'src/realtime/plain/answer-matcher.ts';
const EDITS = ['test/plain-websocket-edits'];
const NODES = ['test/nodes'];

// Who receives which events, and in which order.

export const deliveryChecks: readonly Check[] = [
  {
    name: 'a removed member receives only chat:removed',
    file: 'src/realtime/delivery/chat-change.publisher.ts',
    cut: 'chat.memberIds.filter((userId) => userId !== member.user_id)',
    put: '[...chat.memberIds, member.user_id]',
    red: ['test/group-events'],
  },
  {
    name: 'a new name is a change of each chat',
    file: 'src/chats/name.sweeper.ts',
    cut: "await this.outbox.record(chatId, { kind: 'member_updated', member });",
    put: 'void member;',
    red: ['test/names'],
  },
  {
    name: 'sync finds the members who have changed',
    file: 'src/chats/chat.outbox.ts',
    cut: "if ('member' in data) await this.numberMember(chatId, kind, data.member.user_id, changeSeq);",
    red: ['test/member-sync'],
  },
  {
    name: 'sync passes no change of a member when it goes by a changed message',
    file: 'src/messages/member-news.ts',
    cut: '[last_change_seq, ...messages.map(({ change_seq }) => change_seq ?? 0)]',
    put: '[last_change_seq]',
    red: ['src/messages/member-news'],
  },
  {
    name: 'sync names no members to a user who has left meanwhile',
    file: 'src/chats/members.repository.ts',
    cut: 'JOIN chat_members me ON me.chat_id = p.chat_id AND me.user_id = $1',
    put: 'JOIN (SELECT $1::bigint) me ON true',
    red: ['test/member-sync'],
  },
  {
    name: 'read receipts are published only to authors who are still members',
    file: 'src/realtime/delivery/chat-change.publisher.ts',
    cut: 'user_ids.filter((userId) => members.has(userId))',
    put: 'user_ids.filter(() => members.size > 0)',
    red: NODES,
  },
  {
    name: 'a cached list of members is not older than the message',
    file: 'src/chats/member-list.cache.ts',
    cut: '!list || list.version < version',
    put: '!list || version < 0',
    red: NODES,
  },
  {
    name: 'a membership change invalidates cached lists of members',
    file: 'src/chats/chat.outbox.ts',
    cut: 'CASE WHEN $4 THEN last_change_seq + 1 ELSE members_seq END',
    put: 'CASE WHEN $4 THEN members_seq ELSE members_seq END',
    red: NODES,
  },
  {
    name: 'the poller publishes what is in the log and was not published',
    file: TAIL,
    cut: 'if (behind.length > 0) await this.catchUp.add(behind.map(({ chat_id }) => chat_id));',
    red: NODES,
  },
  {
    name: 'a published change is not published again',
    file: UNPUBLISHED,
    cut: 'this.published.addChange(change.id);',
    red: NODES,
  },
  {
    name: 'a published read is not published again',
    file: FEED,
    cut: 'this.published.addChange(event.changeId);',
    red: NODES,
  },
  {
    name: 'a message is published at once only when it follows the last published one',
    file: POSITIONS,
    cut: 'known.seq === seq - 1 && known.changeSeq',
    put: 'known.changeSeq',
    red: NODES,
  },
  {
    name: 'a message is published at once only when all earlier changes are published',
    file: POSITIONS,
    cut: 'known.seq === seq - 1 && known.changeSeq === changeSeq',
    put: 'known.seq === seq - 1',
    red: NODES,
  },
  {
    name: 'a message of a chat that the node does not know is not published at once',
    file: POSITIONS,
    cut: 'idleMs > this.watermark.maxUnobservedMs',
    put: 'idleMs >= 0',
    red: NODES,
  },
  {
    name: 'a message waits for a catch-up of its chat',
    file: FEED,
    cut: '!this.catchUp.has(chatId) && ',
    red: NODES,
  },
  {
    name: 'a read waits until the message is published',
    file: FEED,
    cut: 'this.catchUp.has(chat_id) || !this.published.hasMessage(chat_id, { seq, id: message_id })',
    put: 'chat_id < 0 && seq + message_id < 0',
    red: NODES,
  },
  {
    name: 'published messages are not published again when a later step fails',
    file: UNPUBLISHED,
    cut: 'this.published.advance(id, { seq: messages.at(-1)!.seq, changeSeq: 0 });',
    red: NODES,
  },
  {
    name: 'a read of a message that the node does not know waits for a catch-up',
    file: POSITIONS,
    cut: 'id <= this.watermark.position.messageId',
    put: 'id > 0',
    red: NODES,
  },
  {
    name: 'a catch-up records what it has published',
    file: UNPUBLISHED,
    cut: 'this.published.advance(chat.id, { seq: chat.head.last_seq, changeSeq: chat.head.last_change_seq });',
    red: NODES,
  },
  {
    name: 'a change is published after the messages before it',
    file: UNPUBLISHED,
    cut: 'message.seq > change.after_seq',
    put: 'message.seq > 0',
    red: NODES,
  },
  {
    name: 'a change made after the chat was read waits for the next catch-up',
    file: UNPUBLISHED,
    cut: ' || isAhead(change, chat.head)',
    red: NODES,
  },
  {
    name: 'a message from another node is published with the reads it implies',
    file: UNPUBLISHED,
    cut: 'readsOf(id, logged, head!.read_by_all_seq, new Set(memberIds))',
    put: 'readsOf(id, [], head!.read_by_all_seq, new Set(memberIds))',
    red: NODES,
  },
  {
    name: 'a node starts at the end of the log',
    file: TAIL,
    cut: 'this.watermark.start(await this.log.newest());',
    put: 'this.watermark.start({ messageId: 0, changeId: 0 });',
    red: NODES,
  },
  {
    name: 'Redis carries notifications to the other nodes',
    file: 'src/realtime/delivery/node.bus.ts',
    cut: '    this.underWay += 1;',
    put: '    if (this.underWay >= 0) return;',
    red: NODES,
  },
  {
    name: 'notifications in Redis contain no long list of members',
    file: FEED,
    cut: 'user_ids: chat.memberIds ?? undefined',
    put: 'user_ids: userIds',
    red: NODES,
  },
  {
    name: 'an edit over plain WebSocket whose event was sent leads to no second frame',
    file: MATCHER,
    cut: 'return !wasSent;',
    put: 'return true;',
    red: EDITS,
  },
  {
    name: 'an edit over plain WebSocket that changed nothing is answered',
    file: MATCHER,
    cut: 'key !== undefined && this.events.delete(key)',
    put: 'key !== undefined && (this.events.delete(key) || true)',
    red: EDITS,
  },
  {
    name: 'an event over plain WebSocket that comes after its ack leads to no second frame',
    file: MATCHER,
    cut: 'if (this.acks.delete(key)) return false;',
    red: ['src/realtime/plain/plain-translator'],
  },
];
