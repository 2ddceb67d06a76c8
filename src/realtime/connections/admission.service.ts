import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '../../common/errors/app-error.js';
import { ShutdownState } from '../../common/shutdown.state.js';
import { type AppConfig, appConfig } from '../../config/app.config.js';
import { isOriginAllowed } from './allowed-origin.js';
import { InjectRealtimeOptions, type RealtimeOptions } from '../realtime.options.js';
import { SocketServer } from '../socket.server.js';

/** Over how long the next tries of those that were too many are spread, in milliseconds. */
const SPREAD_MS = 5_000;

/**
 * Decides about a handshake before anything is spent on it. When a node has died or restarted, all its clients come at
 * once; more than it can take are sent away at once, to come again, each after a time of its own.
 */
@Injectable()
export class AdmissionService {
  constructor(
    private readonly sockets: SocketServer,
    private readonly shutdown: ShutdownState,
    @Inject(appConfig.KEY) private readonly config: AppConfig,
    @InjectRealtimeOptions() private readonly options: RealtimeOptions,
  ) {}

  /** How many connections have not joined the namespace yet. */
  get pending(): number {
    const { engine, sockets } = this.sockets.io;
    return engine.clientsCount - sockets.sockets.size;
  }

  /** Why a handshake is refused: `forbidden`, `unavailable`, `overloaded`; undefined when it isn't. */
  refusalOf({ headers }: IncomingMessage): AppError | undefined {
    if (!isOriginAllowed(headers, this.config.corsOrigins)) {
      return new AppError('forbidden', 'This origin may not connect.');
    }
    if (this.shutdown.hasBegun) return new AppError('unavailable', 'The server is stopping.');
    if (this.pending < this.options.maxPending) return undefined;
    return new AppError('overloaded', 'Too many connect at once.', undefined, Math.random() * SPREAD_MS);
  }
}
