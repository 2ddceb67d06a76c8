import type { Check } from './check.js';

// Who may see chats and messages, and who may write, read, edit and delete messages.

const CHAT_ROWS = 'src/chats/chats.repository.ts';
const MESSAGE_ROWS = 'src/messages/messages.repository.ts';
const CHANGES = 'src/messages/message-edits.service.ts';
const BASELINE = 'migrations/1795734000000-Baseline.ts';

const CHAT_MEMBERS: readonly Check[] = [
  {
    name: 'only members may list the members of a chat',
    file: 'src/chats/members.repository.ts',
    cut: 'WHERE me.chat_id = $1 AND me.user_id = $2 ORDER BY page.joined_at',
    put: 'WHERE me.chat_id = $1 AND $2::bigint > 0 ORDER BY page.joined_at',
  },
  {
    name: 'only members may see a chat',
    file: CHAT_ROWS,
    cut: "'SELECT * FROM chat_members WHERE chat_id = $1 AND user_id = ANY($2)'",
    put: "'SELECT * FROM chat_members WHERE chat_id = $1 AND $2::bigint[] IS NOT NULL LIMIT 1'",
  },
  {
    name: 'only members may read the history of a chat',
    file: MESSAGE_ROWS,
    cut: 'JOIN chat_members me ON me.chat_id = c.id AND me.user_id = $2',
    put: 'JOIN chat_members me ON me.chat_id = c.id AND $2::bigint > 0',
  },
  {
    name: 'only members may see who has read a message',
    file: MESSAGE_ROWS,
    cut: 'JOIN chat_members me ON me.chat_id = x.chat_id AND me.user_id = $2',
    put: 'JOIN chat_members me ON me.chat_id = x.chat_id AND $2::bigint > 0',
  },
  {
    name: "the list of chats has only the user's chats",
    file: CHAT_ROWS,
    cut: 'WHERE m.user_id = $1 ${older}',
    put: 'WHERE $1::bigint > 0 ${older}',
  },
  {
    name: "sync returns only the user's chats",
    file: CHAT_ROWS,
    cut: 'WHERE m.user_id = $1 AND m.chat_id > $2 AND (',
    put: 'WHERE $1::bigint > 0 AND m.chat_id > $2 AND (',
    red: ['test/sync'],
  },
  {
    name: 'sync lists chats without membership as removed',
    file: CHAT_ROWS,
    cut: 'WHERE m.user_id = $1 AND m.chat_id = k.chat_id',
    put: 'WHERE m.chat_id = k.chat_id',
  },
  {
    name: 'sync reads no messages for a user who has left meanwhile',
    file: BASELINE,
    cut: 'CONTINUE WHEN NOT EXISTS (SELECT FROM chat_members m WHERE m.chat_id = chats[i] AND m.user_id = reader);',
    red: ['test/sync'],
  },
  {
    name: "an export has only the user's chats",
    file: CHAT_ROWS,
    cut: 'FROM chat_members WHERE user_id = $1 AND chat_id > $2 ORDER BY chat_id LIMIT $3)\n       SELECT',
    put: 'FROM chat_members WHERE $1::bigint > 0 AND chat_id > $2 ORDER BY chat_id LIMIT $3)\n       SELECT',
    red: ['test/account-export'],
  },
  {
    name: "an export has only the user's messages",
    file: MESSAGE_ROWS,
    cut: 'm WHERE m.sender_id = $5',
    put: 'm WHERE $5::bigint > 0',
    red: ['test/account-export'],
  },
  {
    name: 'only members may send typing',
    file: 'src/chats/members.repository.ts',
    cut: 'JOIN chat_members me ON me.chat_id = c.id AND me.user_id = $2 WHERE c.id = $1',
    put: 'WHERE c.id = $1 AND $2::bigint > 0',
  },
  {
    name: 'only members may open a plain WebSocket to a chat',
    file: 'src/realtime/plain/plain-websocket.server.ts',
    cut: 'await this.chats.requireMember(transport.chatId, data.principal.userId);',
    put: 'void data;',
  },
];

const MESSAGES: readonly Check[] = [
  {
    name: 'only members may see, read and change a message',
    file: MESSAGE_ROWS,
    cut: 'JOIN chat_members me ON me.chat_id = m.chat_id AND me.user_id = $2 WHERE m.id = $1',
    put: 'WHERE m.id = $1 AND $2::bigint > 0',
  },
  {
    name: 'only members may send a message',
    file: BASELINE,
    cut: "WHEN me.last_read_seq IS NULL THEN 'not_a_member'",
  },
  {
    name: 'a reply refers to a message of the same chat',
    file: BASELINE,
    cut: "WHEN i.reply_to_id IS NOT NULL AND i.chat_id IS DISTINCT FROM (\n                SELECT r.chat_id FROM messages r WHERE r.id = i.reply_to_id LIMIT 1) THEN 'no_such_reply'",
  },
  {
    name: 'a read by a user who has left meanwhile is refused',
    file: BASELINE,
    cut: 'IF NOT FOUND THEN\n      RETURN;\n    END IF;',
    red: ['test/concurrent-writes'],
  },
  {
    name: 'an edit by a user who has left meanwhile is refused',
    file: CHANGES,
    cut: "await this.chats.requireMember(seen.chat_id, userId, 'message_not_found')",
    put: "({ role: 'owner' } as ChatMember)",
    red: ['test/concurrent-writes'],
  },
  {
    name: 'only the sender may edit a message',
    file: CHANGES,
    cut: "if (row.sender_id !== userId) throw new AppError('forbidden');",
  },
  {
    name: 'only the sender, an admin or the owner may delete a message',
    file: CHANGES,
    cut: "if (row.sender_id !== userId && member.role === 'member') throw new AppError('forbidden');",
    put: 'void member;',
  },
  {
    name: 'an admin or the owner may delete a message of somebody else',
    file: CHANGES,
    cut: "row.sender_id !== userId && member.role === 'member'",
    put: 'row.sender_id !== userId',
  },
];

export const messageChecks = [...CHAT_MEMBERS, ...MESSAGES];
