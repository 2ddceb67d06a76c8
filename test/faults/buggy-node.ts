import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { AppModule } from '../../src/app.module.js';
import { setupApp } from '../../src/app.setup.js';
import { explainAndExit } from '../../src/common/errors/startup-error.js';
import { createHttpAdapter } from '../../src/common/http/http-adapter.js';
import { listen, stopOnSignals } from '../../src/startup.js';
import { type BugName, withBug } from './bug-overrides.js';

// Starts the application like src/startup.ts, with one provider replaced by a bug. FAULTS_BUG is the name of the bug.

try {
  const builder = Test.createTestingModule({ imports: [AppModule] });
  const testing = await withBug(builder, process.env.FAULTS_BUG as BugName).compile();
  const app = testing.createNestApplication<NestFastifyApplication>(createHttpAdapter(), {
    bufferLogs: true,
  });
  stopOnSignals(await setupApp(app));
  await listen(app);
} catch (error) {
  explainAndExit(error);
}
