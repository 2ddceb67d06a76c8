import { explainAndExit } from './common/errors/startup-error.js';
import { loadConfig } from './config/app.config.js';

// The program of the server. The configuration is checked before the application is loaded, which takes a second: a
// wrong variable is reported at once.
try {
  loadConfig();
  const { startServer } = await import('./startup.js');
  await startServer();
} catch (error) {
  explainAndExit(error);
}
