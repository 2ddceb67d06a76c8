import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { HealthCheckService, type HealthCheckResult } from '@nestjs/terminus';
import { ApiProblems } from '../common/http/api-problems.decorator.js';
import { Public } from '../common/http/public.decorator.js';
import { Unlimited } from '../limits/rate-limit.decorator.js';
import { DatabaseIndicator } from './database.indicator.js';

const STATUS = { type: 'string', enum: ['ok'] };
const HEALTHY = { schema: { type: 'object', properties: { status: STATUS }, required: ['status'] } };
const PART = { type: 'object', properties: { status: { type: 'string', example: 'up' } }, required: ['status'] };
const DETAILS = { type: 'object', additionalProperties: PART, description: 'By the name of what is checked.' };
const READY = {
  schema: {
    type: 'object',
    properties: { status: STATUS, info: DETAILS, error: DETAILS, details: DETAILS },
    required: ['status'],
  },
};

/**
 * Probes for an orchestrator: `live` says that the process answers, `ready` that the database does, too, and can be
 * written to. Redis isn't part of it: the application works without. Neither asks the database, so they are unlimited.
 */
@ApiTags('service')
@Public()
@Unlimited()
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly database: DatabaseIndicator,
  ) {}

  @Get('live')
  @ApiOperation({
    summary: 'Whether the process answers',
    description: 'For a probe that restarts a process. It asks nothing else.',
  })
  @ApiOkResponse(HEALTHY)
  checkLive(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('ready')
  @ApiOperation({
    summary: 'Whether the application can do its work: the database answers, and can be written to',
    description: 'For a load balancer. `unavailable` also while the server stops. Redis is not part of it.',
  })
  @ApiOkResponse(READY)
  @ApiProblems('unavailable')
  checkReady(): Promise<HealthCheckResult> {
    return this.health.check([() => this.database.check()]);
  }
}
