import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { JwtModule } from '@nestjs/jwt';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ChatGateway } from './chat.gateway.js';
import { Chat, ChatMember, Message } from './entities.js';
import { MessagesService } from './messages.service.js';

/**
 * The baseline: what one writes after the guides of NestJS and TypeORM, done right. The stock Socket.IO adapter, a
 * handler with a validation pipe, entities found and saved in a transaction for each message.
 */
@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'postgres',
      url: process.env.DATABASE_URL!,
      entities: [Chat, ChatMember, Message],
      synchronize: true,
    }),
    JwtModule.register({ secret: process.env.JWT_SECRET! }),
  ],
  providers: [ChatGateway, MessagesService],
})
class AppModule {}

const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: false });
await app.listen(Number(process.env.PORT), '127.0.0.1');
console.log(`The baseline is at ${(await app.getUrl()).replace('127.0.0.1', 'localhost')}`);
process.on('SIGTERM', () => process.exit());
