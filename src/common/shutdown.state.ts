import { Global, Injectable, Module } from '@nestjs/common';

/**
 * Whether the process is stopping: then new requests and handshakes are refused, and what is under way is finished. The
 * signal handler in `startup.ts` and `DrainService` call `begin`.
 */
@Injectable()
export class ShutdownState {
  private isUnderWay = false;

  get hasBegun(): boolean {
    return this.isUnderWay;
  }

  begin(): void {
    this.isUnderWay = true;
  }
}

@Global()
@Module({ providers: [ShutdownState], exports: [ShutdownState] })
export class ShutdownModule {}
