import { Global, Injectable, Module } from '@nestjs/common';

/** Whether the process is on its way out: then it takes nothing new, and finishes what it has. */
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
