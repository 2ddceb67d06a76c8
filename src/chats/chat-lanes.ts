import { Injectable } from '@nestjs/common';

/**
 * Runs the writes of one chat one after the other inside this process, and those of different chats side by side. A
 * write publishes its events before the next one starts, so events leave in the order of the commits; and writers of
 * one hot chat wait here, not each on a connection. (Between processes the chat's row lock does the ordering.)
 */
@Injectable()
export class ChatLanes {
  private readonly tails = new Map<number, Promise<unknown>>();

  async run<T>(chatId: number, task: () => Promise<T>): Promise<T> {
    const previous = this.tails.get(chatId) ?? Promise.resolve();
    const current = previous.then(task);
    const tail = current.catch(() => undefined);
    this.tails.set(chatId, tail);
    try {
      return await current;
    } finally {
      if (this.tails.get(chatId) === tail) this.tails.delete(chatId);
    }
  }
}
