import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../database/unit-of-work.js';
import { Session } from './session.entity.js';

@Injectable()
export class SessionsRepository {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** A new session; its id. */
  async create(userId: number): Promise<string> {
    const id = randomUUID();
    await this.unitOfWork.repository(Session).insert({ id, userId });
    return id;
  }
}
