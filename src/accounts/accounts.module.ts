import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { ChatsModule } from '../chats/chats.module.js';
import { GroupsModule } from '../groups/groups.module.js';
import { MessagesModule } from '../messages/messages.module.js';
import { UsersModule } from '../users/users.module.js';
import { AccountsController } from './accounts.controller.js';
import { AccountsService } from './accounts.service.js';
import { ErasureSweeper } from './erasure.sweeper.js';
import { ExportService } from './export.service.js';

/**
 * What concerns a person's data in all features at once: the export, and the closing of the account with its erasure.
 */
@Module({
  imports: [AuthModule, UsersModule, ChatsModule, GroupsModule, MessagesModule],
  controllers: [AccountsController],
  providers: [AccountsService, ExportService, ErasureSweeper],
})
export class AccountsModule {}
