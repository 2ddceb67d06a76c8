import { ChatClient } from './chat-client.js';
import { CpuMeter } from '../targets/cpu.js';
import type { ConnectPlan, ConnectResult, LoadPlan, LoadResult } from './load-plan.js';
import { RunProblem, SendRun } from './send-run.js';

// The load generator: a separate process that executes one plan after the other.

let idle: ChatClient[] = [];

process.on('message', (plan: LoadPlan) => void carryOut(plan).then((result) => process.send!(result)));
process.on('disconnect', () => process.exit());

async function carryOut(plan: LoadPlan): Promise<LoadResult> {
  try {
    switch (plan.kind) {
      case 'send':
        return await new SendRun(plan).run();
      case 'connect':
        return await connectAll(plan);
      case 'disconnect':
        for (const client of idle) client.close();
        idle = [];
        return { kind: 'disconnect' };
    }
  } catch (error) {
    const problems = error instanceof RunProblem ? error.problems : [String((error as Error).stack ?? error)];
    return { kind: 'failure', problems: problems.slice(0, 10) };
  }
}

/** Opens the connections, `window` handshakes at a time, and keeps them open. */
async function connectAll({ port, watched, auths, window }: ConnectPlan): Promise<ConnectResult> {
  const cpu = new CpuMeter(watched);
  const start = performance.now();
  await new Promise<void>((resolve, reject) => {
    let connected = 0;
    const next = (): void => {
      const auth = auths[idle.length];
      if (auth === undefined) return;
      idle.push(
        new ChatClient(port, auth, {
          onConnected: () => {
            if (++connected === auths.length) resolve();
            next();
          },
          onMessage: () => reject(new Error('nobody has sent anything')),
          onReceipt: () => reject(new Error('nobody has read anything')),
          onAck: () => reject(new Error('nothing was asked')),
          onProblem: (what) => reject(new RunProblem([what])),
        }),
      );
    };
    for (let i = 0; i < window; i++) next();
  });
  const seconds = (performance.now() - start) / 1_000;
  return { kind: 'connect', seconds, cpu: cpu.shares() };
}
