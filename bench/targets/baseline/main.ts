import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { JwtModule } from '@nestjs/jwt';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ChatGateway } from './chat.gateway.js';
import { Chat, ChatMember, Message } from './entities.js';
import { MessagesService } from './messages.service.js';

/**
 * The baseline: the competitor we compare with. It is the code that the guides of NestJS and TypeORM lead to, done
 * right: the standard Socket.IO adapter, a handler with a validation pipe, and a transaction for each message that finds
 * and saves entities.
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
