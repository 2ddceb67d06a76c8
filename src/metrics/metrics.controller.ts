import { Controller, Get, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { AppError } from '../common/errors/app-error.js';
import { ApiProblems } from '../common/http/api-problems.decorator.js';
import { Public } from '../common/http/public.decorator.js';
import { Unlimited } from '../limits/rate-limit.decorator.js';
import { MetricsService } from './metrics.service.js';

/** `/metrics` on the main port; not found when it has a port of its own. */
@ApiTags('service')
@Public()
@Unlimited()
@Controller('metrics')
export class MetricsController {
  constructor(private readonly metrics: MetricsService) {}

  @Get()
  @ApiOperation({
    summary: 'Metrics for Prometheus; in production, or with METRICS_PORT, on a port of their own',
    description: '`not_found` when they have a port of their own.',
  })
  @ApiProduces('text/plain')
  @ApiOkResponse({ schema: { type: 'string' } })
  @ApiProblems('not_found')
  async getMetrics(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    if (!this.metrics.onMainPort) throw new AppError('not_found');
    reply.type(this.metrics.contentType);
    return this.metrics.text();
  }
}
