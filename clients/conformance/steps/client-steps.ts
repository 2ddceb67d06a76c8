import { PASSWORD } from '../person.js';
import { Program } from '../program.js';
import type { ClientStep } from '../scenario.js';
import { type Handlers, ME, type Stage } from '../stage.js';

/** What only the client under test does. */
export const clientSteps: Handlers<ClientStep> = {
  async open(stage) {
    stage.program = await Program.start(stage.command);
    await stage.program.do('open', { url: stage.proxy.url, storage_path: stage.storagePath });
  },
  async login(stage) {
    await stage.client.do('login', { email: stage.person(ME).email, password: PASSWORD });
  },
  kill: (stage) => stage.client.kill(),
  retry: settle,
  drop: settle,
};

async function settle(stage: Stage, step: Extract<ClientStep, { message: string }>): Promise<void> {
  const sent = stage.message(step.message);
  sent.isOutOfOrder = true;
  await stage.client.do(step.do, { chat_id: stage.chat(sent.chat), key: sent.key });
}
