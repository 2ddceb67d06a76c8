import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { HealthCheckService, type HealthCheckResult, TypeOrmHealthIndicator } from '@nestjs/terminus';
import { ApiProblems } from '../common/http/api-problems.decorator.js';
import { Public } from '../common/http/public.decorator.js';
import { Unlimited } from '../limits/rate-limit.decorator.js';

const PING_TIMEOUT_MS = 2_000;
const HEALTHY = { schema: { type: 'object', properties: { status: { type: 'string', example: 'ok' } } } };

/**
 * Probes for an orchestrator: `live` says that the process answers, `ready` that the database does, too. Redis isn't
 * part of it: the application works without.
 */
@ApiTags('service')
@Public()
@Unlimited()
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly database: TypeOrmHealthIndicator,
  ) {}

  @Get('live')
  @ApiOperation({ summary: 'Whether the process answers' })
  @ApiOkResponse(HEALTHY)
  checkLive(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('ready')
  @ApiOperation({ summary: 'Whether the application can do its work: the database answers' })
  @ApiOkResponse(HEALTHY)
  @ApiProblems('unavailable')
  checkReady(): Promise<HealthCheckResult> {
    return this.health.check([() => this.database.pingCheck('database', { timeout: PING_TIMEOUT_MS })]);
  }
}
