// A server with some of our routes and events, which sends and accepts what openapi.json and asyncapi.json don't have. It
// is there for wrong-server.spec.ts.
import fastify from 'fastify';
import { Server } from 'socket.io';

const app = fastify();

const refuse = (reply, status, code, type = 'application/problem+json') =>
  reply
    .code(status)
    .type(type)
    .send(JSON.stringify({ type: 'about:blank', title: 'No', status, detail: 'No.', code, request_id: '1' }));

app.get('/health/live', () => ({ status: 'ok', more: 1 }));
app.get('/health/ready', () => 'ok');
app.get('/auth/me', (_, reply) => refuse(reply, 404, 'user_not_found'));
app.get('/users', (_, reply) => refuse(reply, 415, 'unsupported_media_type', 'application/json'));
app.get('/users/:id', (_, reply) => refuse(reply, 404, 'chat_not_found'));
app.get('/chats/:id', (_, reply) => reply.code(404).type('application/problem+json').send('null'));
app.get('/chats/:id/topics', () => ({}));
app.setNotFoundHandler((_, reply) => refuse(reply, 404, 'chat_not_found'));

const refusal = (code) => ({ ok: false, error: { code, message: 'No.', retryable: false } });

const io = new Server(app.server);
io.on('connection', (socket) => {
  socket.emit('chat:removed', { chat_id: 1, more: 1 });
  socket.emit('chat:pinned', {});
  socket.on('typing', (_, ack) => ack({ ok: true, data: {} }));
  socket.on('message:read', (_, ack) => ack(refusal('blocked')));
  socket.on('sync', (_, ack) => ack({ ok: false }));
});

console.log(`WinDI Chat is at ${await app.listen({ host: '127.0.0.1', port: 0 })}`);
process.once('SIGTERM', () => io.close());
