import { Injectable } from '@nestjs/common';
import { ChatsService } from '../chats/chats.service.js';
import type { MessageRow } from '../chats/dto/message.dto.js';
import type { ChatNewsDto, NewsDto, SyncRequestDto } from './dto/sync.dto.js';
import { isBehind, MAX_NAMED, withMembers } from './member-news.js';
import { MessagesRepository } from './messages.repository.js';
import { type Gap, gapOf, type MessageNews, newsOf } from './news.js';

/** How many chats one answer has at most. */
const MAX_CHATS = 200;

/**
 * Sync: answers what a client lacks, given the cursors of what it holds. `SyncController` and `RealtimeGateway` call
 * it. It makes up to three queries, whatever the number of chats: one if nothing but read marks is new, two if nothing
 * has changed but messages have come.
 */
@Injectable()
export class SyncService {
  constructor(
    private readonly chats: ChatsService,
    private readonly messages: MessagesRepository,
  ) {}

  /** What the user lacks, up to `limit` messages and 200 chats, by chat id; `next_chat_id` says where to continue. */
  async sync(userId: number, { cursors, after_chat_id, limit }: SyncRequestDto): Promise<NewsDto> {
    const held = new Map(Object.entries(cursors).map(([chatId, cursor]) => [Number(chatId), cursor]));
    const { chats, removedIds } = await this.chats.changedSince(userId, held, after_chat_id, MAX_CHATS + 1);
    const gaps = chats.slice(0, MAX_CHATS).map((chat) => gapOf(chat, held.get(chat.id), limit));
    const { chats: news, next_chat_id } = newsOf(gaps, await this.fill(userId, gaps, limit + 1), limit);
    const lastOfPage = chats.length > MAX_CHATS ? chats[MAX_CHATS - 1]!.id : null;
    return {
      chats: await this.addMembers(userId, news),
      removed_chat_ids: removedIds,
      next_chat_id: next_chat_id ?? lastOfPage,
    };
  }

  /**
   * Adds the changes of members. They are read after the messages: a cursor may move to a change of the last of these,
   * and must not pass a change of a member.
   */
  private async addMembers(userId: number, news: readonly MessageNews[]): Promise<ChatNewsDto[]> {
    const behind = news.filter(isBehind);
    // One more than an answer has, so that too many are noticed.
    const changes = behind.length > 0 ? await this.chats.membersChangedSince(userId, behind, MAX_NAMED + 1) : [];
    return withMembers(news, changes);
  }

  /** Reads the missing messages. Chats in which only read marks have advanced have none, and are left out. */
  private async fill(userId: number, gaps: readonly Gap[], limit: number): Promise<MessageRow[]> {
    const withMessages = gaps.filter(
      ({ chat, from, to, since }) => from <= to || (since !== null && since < chat.last_change_seq),
    );
    return withMessages.length > 0 ? this.messages.fill(userId, withMessages, limit) : [];
  }
}
