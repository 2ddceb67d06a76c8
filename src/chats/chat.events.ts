/** Domain events of chats, published inside this process after the commit. */

/**
 * A chat has changed, other than by a new message or a read. `chat_changes` has the change; `ChatFeed` publishes it to
 * devices.
 */
export class ChatChanged {
  constructor(readonly chatId: number) {}
}

/** A group was deleted. `DeletedChatsSweeper` then removes its messages. */
export class GroupDeleted {
  constructor(readonly chatId: number) {}
}
