import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { accessSync, constants } from 'node:fs';

/** Longer than anything takes that has to download first. */
const TIMEOUT_MS = 300_000;

/** A program and its arguments. */
export type Command = readonly [program: string, ...args: string[]];

const running = new Set<number>();

/** Whether a program is in the PATH. */
export function isInstalled(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Runs a command in `folder` and returns all that it printed. `listen` gets what it has printed so far, each time that is
 * more. @throws Error with the output when the command fails, or isn't done within five minutes
 */
export async function runCommand(
  folder: string,
  command: Command,
  env: NodeJS.ProcessEnv = {},
  listen: (output: string) => void = () => undefined,
): Promise<string> {
  const [program, ...args] = command;
  // A group of its own, so that a build tool leaves no child behind.
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  const add = (chunk: Buffer): void => listen((output += chunk.toString()));
  for (const stream of [child.stdout, child.stderr]) stream.on('data', add);
  const group = child.pid;
  if (group !== undefined) running.add(group);
  const timer = setTimeout(() => endGroup(group), TIMEOUT_MS);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => {
    clearTimeout(timer);
    endGroup(group);
  });
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code ?? 'a signal'}:\n${output}`);
  return output;
}

/** Kills what is still running: for a runner that is about to exit. */
export function endCommands(): void {
  for (const group of running) endGroup(group);
}

function endGroup(group: number | undefined): void {
  if (group === undefined || !running.delete(group)) return;
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
