import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { DatabaseMonitor } from '../database/database.monitor.js';

/** The state of the database in the form of Terminus. It asks nothing of the database: `DatabaseMonitor` knows. */
@Injectable()
export class DatabaseIndicator {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly monitor: DatabaseMonitor,
  ) {}

  check(): HealthIndicatorResult {
    const indicator = this.indicators.check('database');
    return this.monitor.isReady ? indicator.up() : indicator.down();
  }
}
