import { readdirSync } from 'node:fs';
import { DataSource } from 'typeorm';
import { MessagesService } from '../src/messages/messages.service.js';
import { Message } from '../src/messages/message.entity.js';
import { migrations } from '../src/database/migrations.js';
import { TestApp } from './support/test-app.js';

describe('wiring', () => {
  let app: TestApp;
  beforeAll(async () => (app = await TestApp.start()));
  afterAll(() => app.close());

  it('injects constructor parameters by their types', () => {
    const service = app.nest.get<{ messages: object; access: object }>(MessagesService);
    expect(service.messages.constructor.name).toBe('MessagesRepository');
    expect(service.access.constructor.name).toBe('MessageAccessService');
  });

  it('reads the entities with their columns and types', () => {
    const columns = app.nest.get(DataSource).getMetadata(Message).columns;
    expect(Object.fromEntries(columns.map(({ databaseName, type }) => [databaseName, type]))).toMatchObject({
      chat_id: 'bigint',
      seq: 'bigint',
      text: 'text',
      timestamp: 'timestamptz',
    });
  });

  it('runs every migration in the folder', () => {
    const files = readdirSync(new URL('../migrations', import.meta.url));
    const names = files.map((file) => file.replace(/^(\d+)-(\w+)\.ts$/, '$2$1')).sort();
    expect(migrations.map(({ name }) => name).sort()).toEqual(names);
  });
});
