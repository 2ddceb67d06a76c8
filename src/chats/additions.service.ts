import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '../common/errors/app-error.js';
import { type AppConfig, appConfig } from '../config/app.config.js';
import { UsersService } from '../users/users.service.js';
import { AdditionsRepository, type Candidate } from './additions.repository.js';

const FULL = 'They are in as many chats as a person can be in.';

/**
 * Decides who may put whom into a chat, and how many: the blocks and settings of people, and the bounds of
 * `AppConfig.bounds`. `ChatsService` and `GroupsService` ask it inside the transaction that writes; what it decides
 * holds until the commit, as it locks the people.
 *
 * Locks are taken in one order, so that no two calls deadlock: a chat, the day of the one who adds, then people by id.
 */
@Injectable()
export class AdditionsService {
  constructor(
    private readonly additions: AdditionsRepository,
    private readonly users: UsersService,
    @Inject(appConfig.KEY) private readonly config: AppConfig,
  ) {}

  /**
   * Counts a new group and the people in it, and locks all of them. Returns those who can't be put into it.
   * @throws AppError `rate_limited`, `user_not_found`, `limit_reached` for the maker
   */
  async takeForGroup(makerId: number, otherIds: readonly number[]): Promise<number[]> {
    this.requireRoom(otherIds.length);
    await this.count(makerId, 1, otherIds.length);
    await this.users.requireAll([makerId, ...otherIds]);
    const candidates = await this.candidates(makerId, [makerId, ...otherIds]);
    const others = candidates.filter(({ id }) => id !== makerId);
    if (candidates.some((one) => one.id === makerId && this.isFull(one))) throw youAreFull();
    return [...(await this.refusals(makerId, others)).keys()];
  }

  /**
   * Counts an addition to a group of `memberCount`, and locks the person.
   * @throws AppError `rate_limited`, `user_not_found`, `blocked`, `forbidden` by their setting, `limit_reached`
   */
  async takeForMember(actorId: number, userId: number, memberCount: number): Promise<void> {
    this.requireRoom(memberCount);
    await this.count(actorId, 0, 1);
    await this.users.requireAll([userId]);
    const refusals = await this.refusals(actorId, await this.candidates(actorId, [userId]));
    for (const refusal of refusals.values()) throw refusal;
  }

  /** Locks the people of a new private chat, two or one. @throws AppError `user_not_found`, `limit_reached` */
  async takeForPrivate(userId: number, pair: readonly number[]): Promise<void> {
    await this.users.requireAll(pair);
    const full = (await this.candidates(userId, pair)).find((one) => this.isFull(one));
    if (full) throw full.id === userId ? youAreFull() : new AppError('limit_reached', FULL);
  }

  /** Deletes what was counted of a closed account. */
  forget(userId: number): Promise<void> {
    return this.additions.forget(userId);
  }

  private candidates(actorId: number, ids: readonly number[]): Promise<Candidate[]> {
    return this.additions.candidates(actorId, ids, this.config.bounds.chats);
  }

  /** `others`: how many are in the group besides the one who is next. */
  private requireRoom(others: number): void {
    const { groupMembers } = this.config.bounds;
    if (others >= groupMembers) throw new AppError('limit_reached', `A group has up to ${groupMembers} members.`);
  }

  private async count(userId: number, groups: number, people: number): Promise<void> {
    if (!this.config.rateLimit) return;
    const { groupsPerDay, additionsPerDay } = this.config.bounds;
    const { groups_made, people_added, ms_left } = await this.additions.count(userId, groups, people);
    if (groups_made > groupsPerDay) throw AppError.rateLimited(ms_left, `You can make ${groupsPerDay} groups a day.`);
    if (people_added > additionsPerDay) {
      throw AppError.rateLimited(ms_left, `You can add ${additionsPerDay} people to groups a day.`);
    }
  }

  private isFull({ chats }: Candidate): boolean {
    return chats >= this.config.bounds.chats;
  }

  /** Who of these people can't be added, and why. */
  private async refusals(actorId: number, candidates: readonly Candidate[]): Promise<Map<number, AppError>> {
    const careful = candidates.filter(({ addable_by }) => addable_by === 'correspondents').map(({ id }) => id);
    const have = new Set(careful.length > 0 ? await this.additions.correspondents(actorId, careful) : []);
    const refusals = candidates.map((one) => [one.id, this.refusalOf(one, have.has(one.id))] as const);
    return new Map(refusals.filter((entry): entry is [number, AppError] => entry[1] !== undefined));
  }

  /** Why the person can't be added; undefined when they can. */
  private refusalOf(one: Candidate, hasWritten: boolean): AppError | undefined {
    if (one.has_blocked) return new AppError('blocked', 'They have blocked you.');
    if (one.addable_by === 'correspondents' && !hasWritten) {
      return new AppError('forbidden', 'Only people to whom they have written can add them.');
    }
    return this.isFull(one) ? new AppError('limit_reached', FULL) : undefined;
  }
}

const youAreFull = (): AppError => new AppError('limit_reached', 'You are in as many chats as a person can be in.');
