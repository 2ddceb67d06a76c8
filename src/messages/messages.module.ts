import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ChatsModule } from '../chats/chats.module.js';
import { MessageEditsService } from './message-edits.service.js';
import { ActivityWriter } from './activity.writer.js';
import { DeletedChatsSweeper } from './deleted-chats.sweeper.js';
import { LogReader } from './log.reader.js';
import { Message } from './message.entity.js';
import { MessageAccessService } from './message-access.service.js';
import { LogWriter } from './log.writer.js';
import { MessagesController } from './messages.controller.js';
import { MessagesRepository } from './messages.repository.js';
import { MessagesService } from './messages.service.js';
import { OwnMessagesService } from './own-messages.service.js';
import { ReceiptsService } from './receipts.service.js';
import { SyncController } from './sync.controller.js';
import { SyncService } from './sync.service.js';

/**
 * Messages: sending, reading back, edits, receipts and sync. `realtime` and `accounts` use its exports.
 */
@Module({
  imports: [ChatsModule, TypeOrmModule.forFeature([Message])],
  controllers: [MessagesController, SyncController],
  providers: [
    MessagesService,
    ReceiptsService,
    MessagesRepository,
    ActivityWriter,
    DeletedChatsSweeper,
    LogWriter,
    LogReader,
    MessageAccessService,
    MessageEditsService,
    SyncService,
    OwnMessagesService,
  ],
  exports: [MessagesService, ReceiptsService, MessageEditsService, SyncService, LogReader, OwnMessagesService],
})
export class MessagesModule {}
