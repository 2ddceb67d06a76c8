import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { AuthService } from '../auth/auth.service.js';
import { SessionsService } from '../auth/sessions.service.js';
import { BlocksService } from '../chats/blocks.service.js';
import { ChatsService } from '../chats/chats.service.js';
import { MessageDto } from '../chats/dto/message.dto.js';
import type { Principal } from '../common/principal.js';
import { OwnMessagesService } from '../messages/own-messages.service.js';
import { type ExportDto, MembershipDto } from './dto/account.dto.js';

/** Rows read from the database at once. */
const PAGE = 100;

/**
 * Exports all that is stored about a person as JSON, for `GET /users/me/export`. It reads page by page, as fast as the
 * client takes the answer, so a large account needs no more memory than a small one.
 */
@Injectable()
export class ExportService {
  constructor(
    private readonly auth: AuthService,
    private readonly sessions: SessionsService,
    private readonly blocks: BlocksService,
    private readonly chats: ChatsService,
    private readonly messages: OwnMessagesService,
  ) {}

  /** An `ExportDto` as text. @throws AppError `unauthorized` when the account is gone */
  async export(principal: Principal): Promise<Readable> {
    const { userId } = principal;
    // Read before the answer begins, so that an error can still be answered.
    const account = await this.auth.me(userId);
    const sessions = await this.sessions.list(principal);
    return Readable.from(
      jsonOf({
        account,
        sessions,
        blocked: this.blocked(userId),
        chats: this.memberships(userId),
        messages: this.written(userId),
      }),
      { objectMode: false },
    );
  }

  private async *blocked(userId: number) {
    let page;
    for (let offset = 0; (page = await this.blocks.list(userId, PAGE, offset)).length > 0; offset += PAGE) yield page;
  }

  private async *memberships(userId: number) {
    let page;
    for (let after = 0; (page = await this.chats.memberships(userId, after, PAGE)).length > 0;) {
      yield page.map((row) => MembershipDto.of(row));
      after = page.at(-1)!.chat_id;
    }
  }

  private async *written(userId: number) {
    for await (const chatId of this.chats.writtenIn(userId)) {
      for await (const rows of this.messages.in(chatId, userId)) {
        const readByAll = await this.chats.readByAllSeq(chatId);
        yield rows.map((row) => MessageDto.of(row, readByAll));
      }
    }
  }
}

/** The fields of the export: a value as it is, or a list that comes in pages. */
type Parts = { readonly [Name in keyof ExportDto]: ExportDto[Name] | AsyncGenerator<unknown[]> };

/** The text of one JSON object, piece by piece. */
async function* jsonOf(parts: Parts): AsyncGenerator<string> {
  let before = '{';
  for (const [name, part] of Object.entries(parts)) {
    yield `${before}${JSON.stringify(name)}:`;
    if (Symbol.asyncIterator in part) yield* listOf(part);
    else yield JSON.stringify(part);
    before = ',';
  }
  yield '}';
}

/** The text of one JSON array, a page at a time. */
async function* listOf(pages: AsyncGenerator<unknown[]>): AsyncGenerator<string> {
  let before = '[';
  for await (const page of pages) {
    yield before + page.map((item) => JSON.stringify(item)).join(',');
    before = ',';
  }
  yield before === '[' ? '[]' : ']';
}
