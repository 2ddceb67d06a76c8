import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { setupApp } from './app.setup.js';
import { createHttpAdapter } from './common/http/http-adapter.js';
import { appConfig } from './config/app.config.js';
import { explainAndExit, listen, stopOnSignals } from './startup.js';

// The program of the server: create the application, set it up, listen.
try {
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, createHttpAdapter(appConfig()), {
    bufferLogs: true,
    autoFlushLogs: false,
    abortOnError: false,
  });
  stopOnSignals(await setupApp(app));
  await listen(app);
} catch (error) {
  explainAndExit(error);
}
