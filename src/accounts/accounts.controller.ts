import { Body, Controller, Delete, Get, HttpCode, StreamableFile } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '../common/http/api-problems.decorator.js';
import { CurrentPrincipal, CurrentUserId, type Principal } from '../common/principal.js';
import { RateLimit } from '../limits/rate-limit.decorator.js';
import { AccountsService } from './accounts.service.js';
import { CloseAccountDto, ExportDto } from './dto/account.dto.js';
import { ExportService } from './export.service.js';

/** The caller's whole account: its export and its closing. */
@ApiTags('users')
@Controller('users/me')
export class AccountsController {
  constructor(
    private readonly accounts: AccountsService,
    private readonly exports: ExportService,
  ) {}

  @Get('export')
  @ApiOperation({
    summary: 'All that is kept of you, as JSON',
    description: 'It is sent as it is read, and can be long. When it is cut short, it is no valid JSON.',
  })
  @ApiOkResponse({ type: ExportDto })
  async exportMe(@CurrentPrincipal() principal: Principal): Promise<StreamableFile> {
    const disposition = 'attachment; filename="windi-chat.json"';
    return new StreamableFile(await this.exports.export(principal), { type: 'application/json', disposition });
  }

  @RateLimit('passwords', { by: 'session' })
  @Delete()
  @HttpCode(204)
  @ApiOperation({
    summary: 'Close your account, for good',
    description:
      'At once: your name, email and password are gone, the email is free again, and all your sessions have ended. Then, ' +
      'mostly before the answer: you have left your groups, your messages are tombstones, and nobody writes in your private ' +
      'chats, which stay with the others. A wrong `password` is a `validation_failed` that names it: the token is good.',
  })
  @ApiNoContentResponse()
  @ApiProblems('validation_failed', 'overloaded')
  closeMe(@CurrentUserId() userId: number, @Body() { password }: CloseAccountDto): Promise<void> {
    return this.accounts.close(userId, password);
  }
}
