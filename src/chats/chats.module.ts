import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { UsersModule } from '../users/users.module.js';
import { Chat } from './chat.entity.js';
import { ChatChange } from './chat-change.entity.js';
import { ChatChanges } from './chat-changes.js';
import { ChatLanes } from './chat-lanes.js';
import { ChatMember } from './chat-member.entity.js';
import { ChatWriter } from './chat-writer.js';
import { ChatsController } from './chats.controller.js';
import { ChatsRepository } from './chats.repository.js';
import { ChatsService } from './chats.service.js';
import { Group } from './group.entity.js';
import { MemberLists } from './member-lists.js';
import { MembersRepository } from './members.repository.js';
import { PrivateChat } from './private-chat.entity.js';

@Module({
  imports: [UsersModule, TypeOrmModule.forFeature([Chat, ChatChange, ChatMember, Group, PrivateChat])],
  controllers: [ChatsController],
  providers: [ChatsService, ChatsRepository, MembersRepository, MemberLists, ChatLanes, ChatWriter, ChatChanges],
  exports: [ChatsService, ChatWriter, ChatLanes, ChatChanges, MemberLists],
})
export class ChatsModule {}
