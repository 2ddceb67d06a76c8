// Loaded by a server in a process of its own, before the program: `node --import`. The rest is loaded once the program
// makes a Fastify: many servers that tests start end before that.
import { subscribe } from 'node:diagnostics_channel';

subscribe('fastify.initialization', ({ fastify }) => {
  const loading = checks();
  fastify.addHook('onSend', async (_request, reply, payload) => (await loading).kept(reply, payload));
  fastify.addHook('onResponse', async (request, reply) => (await loading).checkAnswer(request, reply));
});

async function checks() {
  const [{ checkSockets }, transport, translator] = await Promise.all([
    import('./socket-frames.js'),
    import('../../dist/src/realtime/plain/plain-transport.js'),
    import('../../dist/src/realtime/plain/plain-translator.js'),
  ]);
  checkSockets({ ...transport, ...translator });
  return import('./http-answers.js');
}
