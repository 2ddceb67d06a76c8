import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { UsersModule } from '../users/users.module.js';
import { AdditionsRepository } from './additions.repository.js';
import { AdditionsService } from './additions.service.js';
import { Block } from './block.entity.js';
import { BlocksController } from './blocks.controller.js';
import { BlocksRepository } from './blocks.repository.js';
import { BlocksService } from './blocks.service.js';
import { Chat } from './chat.entity.js';
import { ChatChange } from './chat-change.entity.js';
import { ChatOutbox } from './chat.outbox.js';
import { ChatLaneScheduler } from './chat-lane.scheduler.js';
import { ChatMember } from './chat-member.entity.js';
import { ChatWriter } from './chat.writer.js';
import { ChatsController } from './chats.controller.js';
import { ChatsRepository } from './chats.repository.js';
import { ChatsService } from './chats.service.js';
import { DailyCount } from './daily-count.entity.js';
import { FormerMember } from './former-member.entity.js';
import { Group } from './group.entity.js';
import { MemberListCache } from './member-list.cache.js';
import { MembersRepository } from './members.repository.js';
import { NameSweeper } from './name.sweeper.js';
import { PrivateChat } from './private-chat.entity.js';

/**
 * Chats and who is in them: memberships, blocks, the lanes and the outbox. `groups`, `messages`, `accounts` and
 * `realtime` build on it.
 */
@Module({
  imports: [
    UsersModule,
    TypeOrmModule.forFeature([Block, Chat, ChatChange, ChatMember, DailyCount, FormerMember, Group, PrivateChat]),
  ],
  controllers: [ChatsController, BlocksController],
  providers: [
    BlocksService,
    BlocksRepository,
    ChatsService,
    ChatsRepository,
    MembersRepository,
    AdditionsService,
    AdditionsRepository,
    MemberListCache,
    ChatLaneScheduler,
    ChatWriter,
    ChatOutbox,
    NameSweeper,
  ],
  exports: [
    AdditionsService,
    BlocksService,
    ChatsService,
    ChatWriter,
    ChatLaneScheduler,
    ChatOutbox,
    MemberListCache,
    NameSweeper,
  ],
})
export class ChatsModule {}
