import type { RestartableServer } from '../../sdks/restartable-server.js';
import { FaultProxy } from './fault-proxy.js';
import { Person } from './person.js';
import type { Scenario, Step } from './scenario.js';
import { type Handlers, ME, Stage } from './stage.js';
import { checks } from './steps/checks.js';
import { clientSteps } from './steps/client-steps.js';
import { deeds } from './steps/deeds.js';
import { disturbances } from './steps/disturbances.js';
import { createChat, peopleSteps } from './steps/people-steps.js';

const TIMEOUT_MS = 60_000;

const HANDLERS: Handlers<Step> = { ...deeds, ...clientSteps, ...peopleSteps, ...disturbances, ...checks };

/**
 * Plays a scenario with people, chats and a network of its own.
 * @throws Error that says which step has failed, and what the client showed
 */
export async function play(
  scenario: Scenario,
  command: string,
  server: RestartableServer,
  storagePath: string,
): Promise<void> {
  const proxy = await FaultProxy.inFrontOf(server.url);
  const stage = new Stage(command, server, proxy, storagePath);
  try {
    await meet(stage, scenario);
    for (const [index, step] of scenario.steps.entries()) await carryOut(stage, step, index + 1);
    if (proxy.waitingFaults.length > 0) throw new Error(`These never happened: ${proxy.waitingFaults.join()}`);
    if (proxy.violations.length > 0) throw new Error(proxy.violations.join('\n'));
  } finally {
    await stage.stopping;
    await stage.program?.kill();
    proxy.close();
  }
}

async function meet(stage: Stage, { people, chats }: Scenario): Promise<void> {
  for (const name of [ME, ...people]) stage.people.set(name, await Person.register(stage.server.url, name));
  for (const [name, { type, members }] of Object.entries(chats)) await createChat(stage, name, type, members);
}

async function carryOut(stage: Stage, step: Step, number: number): Promise<void> {
  const handle = HANDLERS[step.do] as (stage: Stage, step: Step) => Promise<void> | void;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${TIMEOUT_MS / 1_000} s`)), TIMEOUT_MS);
  });
  try {
    await Promise.race([handle(stage, step), late]);
  } catch (error) {
    const what = `step ${number}, ${JSON.stringify(step)}: ${(error as Error).message}`;
    throw new Error([what, ...(await evidence(stage))].join('\n'), { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function evidence({ proxy, program, differences }: Stage): Promise<string[]> {
  const state = await program?.state().catch(() => 'none');
  return [
    `faults that wait: ${proxy.waitingFaults.join() || 'none'}`,
    ...differences,
    `the client shows: ${JSON.stringify(state)}`,
    program?.output ?? '',
  ];
}
