/** What happened to chats, published inside this process after the commit. */

/** Something but a new message has changed in the chat; `chat_changes` says what. */
export class ChatChanged {
  constructor(readonly chatId: number) {}
}

/** A group is gone; what is left of it can be removed. */
export class GroupDeleted {
  constructor(readonly chatId: number) {}
}
