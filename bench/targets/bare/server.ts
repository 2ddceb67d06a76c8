import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';

/**
 * The upper bound: Socket.IO alone, with no authentication, no database and no framework. It numbers messages in
 * memory, emits the same events to the same rooms as the application, and acks with the same objects.
 */

interface Command {
  readonly chat_id: number;
  readonly text: string;
  readonly client_message_id: string;
}

class Chat {
  readonly rooms: string[];
  /** The sender of each message; the one with `seq` 1 is at 0. */
  readonly senders: number[] = [];
  /** The read cursor of each member. */
  readonly cursors = new Map<number, number>();
  lastId = 0;

  constructor(members: readonly number[]) {
    this.rooms = members.map(roomOf);
  }
}

const roomOf = (userId: number): string => `user:${userId}`;

/** The chats as JSON: the ids of the members by the id of the chat. */
const members = JSON.parse(process.env.CHATS!) as Record<string, number[]>;
const chats = new Map(Object.entries(members).map(([id, userIds]) => [Number(id), new Chat(userIds)]));
let lastId = 0;

const http = createServer();
const io = new Server(http, { serveClient: false });

io.on('connection', (socket) => {
  const { user_id: userId } = socket.handshake.auth as { user_id: number };
  void socket.join(roomOf(userId));
  socket.on('message:send', (command: Command, ack: (answer: object) => void) => {
    const chat = chats.get(command.chat_id)!;
    const seq = chat.senders.push(userId);
    const message = {
      id: ++lastId,
      chat_id: command.chat_id,
      sender_id: userId,
      text: command.text,
      timestamp: new Date().toISOString(),
      is_read: false,
      client_message_id: command.client_message_id,
      seq,
      change_seq: null,
      reply_to_id: null,
      edited_at: null,
      deleted_at: null,
    };
    io.to(chat.rooms).emit('message:created', message);
    readBefore(chat, message);
    chat.lastId = message.id;
    ack({ ok: true, data: message, replayed: false });
  });
});

/** Sending reads all earlier messages, and their senders get a receipt, as in the application. */
function readBefore(chat: Chat, message: { chat_id: number; sender_id: number; seq: number }): void {
  const { chat_id, sender_id, seq } = message;
  const cursor = chat.cursors.get(sender_id) ?? 0;
  chat.cursors.set(sender_id, seq);
  if (cursor >= seq - 1) return;
  const senders = new Set([sender_id, ...chat.senders.slice(cursor, seq - 1)]);
  const receipt = {
    type: 'read_receipt',
    message_id: chat.lastId,
    chat_id,
    reader_id: sender_id,
    is_read: true,
    seq: seq - 1,
  };
  io.to([...senders].map(roomOf)).emit('read_receipt', receipt);
}

http.listen(Number(process.env.PORT), '127.0.0.1', () => {
  console.log(`Bare Socket.IO is at http://localhost:${(http.address() as AddressInfo).port}`);
});
process.on('SIGTERM', () => process.exit());
