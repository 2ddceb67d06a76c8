import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DomainEventBus } from '../common/domain-event.bus.js';
import { eachOf } from '../common/pagination.js';
import { SweepLoop } from '../common/sweep-loop.js';
import { UserRenamed } from '../users/user.events.js';
import { UsersService } from '../users/users.service.js';
import { ChatOutbox } from './chat.outbox.js';
import { ChatWriter } from './chat.writer.js';
import { MemberDto } from './dto/member.dto.js';
import { MembersRepository } from './members.repository.js';

/** How often a node polls for people with a new name, in milliseconds: the node that took it may have stopped. */
const POLL_INTERVAL_MS = 5_000;
/** Chats read from the database at once. */
const PAGE = 100;

/**
 * Tells the chats of a person their new name: each records a change of the member, so that everybody there gets it by
 * an event or by sync. It runs when a name was changed on this node, at the start, and every 5 s. `ErasureSweeper`
 * calls it for a closed account, whose name is gone.
 *
 * A chat is a transaction, which also stores in the membership which name was told. So no chat is told twice: after a
 * stop or a crash any node does the rest, two nodes may tell one name, and of several changes under way a chat may get
 * only the last.
 */
@Injectable()
export class NameSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop = new SweepLoop(
    new Logger(NameSweeper.name),
    'names',
    POLL_INTERVAL_MS,
    () => this.users.renamed(),
    (userId) => this.tell(userId),
  );

  constructor(
    private readonly users: UsersService,
    private readonly members: MembersRepository,
    private readonly writer: ChatWriter,
    private readonly outbox: ChatOutbox,
    private readonly events: DomainEventBus,
  ) {}

  onApplicationBootstrap(): void {
    this.events.on(UserRenamed, ({ userId }) => void this.loop.sweep(userId));
    this.loop.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.loop.stop();
  }

  /**
   * Tells all chats of the person that don't have the newest name, and yields after each. A chat that fails doesn't
   * keep the others from it; its error is thrown at the end.
   */
  async *tell(userId: number): AsyncGenerator<void> {
    const failures: unknown[] = [];
    let version: number | undefined;
    // Again if the name has changed meanwhile.
    while ((version = await this.users.untoldNameVersion(userId)) !== undefined) {
      const behind = version;
      for await (const chatId of eachOf((afterId) => this.members.chatsToTell(userId, behind, afterId, PAGE))) {
        await this.tellChat(chatId, userId).catch((error: unknown) => failures.push(error));
        yield;
      }
      if (failures.length > 0) throw failures[0];
      await this.users.markNameTold(userId, version);
    }
  }

  private tellChat(chatId: number, userId: number): Promise<void> {
    return this.writer.write(chatId, async () => {
      // They may have left, or another node was first.
      if (!(await this.members.takeName(chatId, userId))) return;
      const member = MemberDto.of((await this.members.row(chatId, userId))!);
      await this.outbox.record(chatId, { kind: 'member_updated', member });
    });
  }
}
