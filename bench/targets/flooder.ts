import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FloodKind, FloodReport } from '../load/flood-kinds.js';
import { tokenOf } from './dataset.js';

const PROGRAM = fileURLToPath(new URL('../load/flood.js', import.meta.url));

/** A flood of a port, in a process of its own. */
export class Flooder {
  private readonly child: ChildProcess;

  /** `userId` is the account of the flood. */
  constructor(port: number, kind: FloodKind, userId: number) {
    this.child = fork(PROGRAM, [String(port), kind, tokenOf(userId)]);
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Ends the flood. @throws Error when it has ended before */
  async end(): Promise<FloodReport> {
    if (this.child.exitCode !== null || this.child.signalCode !== null)
      throw new Error('The flood has ended by itself.');
    const exited = once(this.child, 'exit');
    this.child.send('report');
    const [report] = (await Promise.race([once(this.child, 'message'), exited])) as [FloodReport | number | null];
    if (typeof report !== 'object' || report === null) throw new Error('The flood has ended without a report.');
    this.child.disconnect();
    await exited;
    return report;
  }
}
