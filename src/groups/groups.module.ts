import { Module } from '@nestjs/common';
import { ChatsModule } from '../chats/chats.module.js';
import { GroupsController } from './groups.controller.js';
import { GroupsRepository } from './groups.repository.js';
import { GroupsService } from './groups.service.js';

/** Making, changing and deleting groups. `ChatsModule` owns the tables and who is in a chat. */
@Module({
  imports: [ChatsModule],
  controllers: [GroupsController],
  providers: [GroupsService, GroupsRepository],
  exports: [GroupsService],
})
export class GroupsModule {}
