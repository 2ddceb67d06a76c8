import { Global, Injectable, Module } from '@nestjs/common';

/**
 * Whether the process is stopping. From `begin`, which the signal handler in `startup.ts` calls, new requests and
 * handshakes are refused, and what is under way is finished.
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
