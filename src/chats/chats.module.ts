import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { UsersModule } from '../users/users.module.js';
import { Chat } from './chat.entity.js';
import { ChatLanes } from './chat-lanes.js';
import { ChatMember } from './chat-member.entity.js';
import { ChatWriter } from './chat-writer.js';
import { ChatsController } from './chats.controller.js';
import { ChatsRepository } from './chats.repository.js';
import { ChatsService } from './chats.service.js';
import { Group } from './group.entity.js';
import { MembersRepository } from './members.repository.js';
import { PrivateChat } from './private-chat.entity.js';

@Module({
  imports: [UsersModule, TypeOrmModule.forFeature([Chat, ChatMember, Group, PrivateChat])],
  controllers: [ChatsController],
  providers: [ChatsService, ChatsRepository, MembersRepository, ChatLanes, ChatWriter],
  exports: [ChatsService, ChatWriter, ChatLanes],
})
export class ChatsModule {}
