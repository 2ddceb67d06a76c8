import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/**
 * Resolves when a server has printed a line with this text: it serves. The server is killed when this process ends.
 * @throws Error with what it printed, when it ends before
 */
export async function serving(child: ChildProcess, output: Readable, text: string): Promise<void> {
  const end = (): unknown => child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  const printed: string[] = [];
  for await (const line of createInterface(output)) {
    printed.push(line);
    if (!line.includes(text)) continue;
    output.resume();
    return;
  }
  throw new Error(`${child.spawnfile} did not start:\n${printed.join('\n')}`);
}

/** kill -9. Resolves when the server has ended, at once if it has already. */
export async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
