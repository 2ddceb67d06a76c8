import { applyDecorators } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import { SkipThrottle, Throttle } from '@nestjs/throttler';
import type { Principal } from '../common/principal.js';
import { BUDGETS } from './budgets.js';

/** How the OpenAPI names the budget of an operation that has its own. */
const BUDGET_EXTENSION = 'x-rate-limit';

/** How the OpenAPI marks an operation without a limit. */
export const UNLIMITED_EXTENSION = 'x-unlimited';

interface Options {
  /** Whom to count; by default the user, and where there is none the address. */
  readonly by?: 'session';
}

/** Gives a route a budget of its own, apart from the one that all others share. */
export function RateLimit(name: keyof typeof BUDGETS, { by }: Options = {}): MethodDecorator {
  const { limit, seconds } = BUDGETS[name];
  const generateKey = (_: unknown, tracker: string): string => `${name}:${tracker}`;
  const getTracker = by === 'session' ? sessionOf : undefined;
  return applyDecorators(
    Throttle({ default: { limit, ttl: seconds * 1000, generateKey, ...(getTracker && { getTracker }) } }),
    ApiExtension(BUDGET_EXTENSION, { limit, seconds }),
  );
}

/** For what programs ask for all the time. */
export const Unlimited = (): ClassDecorator & MethodDecorator =>
  applyDecorators(SkipThrottle(), ApiExtension(UNLIMITED_EXTENSION, true));

const sessionOf = ({ user }: Record<string, unknown>): string => (user as Principal).sessionId;
