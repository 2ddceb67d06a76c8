import { applyDecorators, type ExecutionContext } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import { SkipThrottle, Throttle } from '@nestjs/throttler';
import type { FastifyRequest } from 'fastify';
import type { Principal } from '../common/principal.js';
import { BUDGETS } from './budgets.js';

/** The OpenAPI extension with the budget of an operation that has its own. */
const BUDGET_EXTENSION = 'x-rate-limit';

/** The OpenAPI extension of an operation without a limit. */
export const UNLIMITED_EXTENSION = 'x-unlimited';

type BudgetName = keyof typeof BUDGETS;

interface Options {
  /** What is counted: by default the user or, without a token, the address. */
  readonly by?: 'session';
  /** The budget of a request with another one than the route's, by its body, which is not validated yet. */
  readonly otherwise?: (body: unknown) => BudgetName | undefined;
}

/** Gives a route a budget of its own, in place of the one that all other routes share. */
export function RateLimit(name: BudgetName, { by, otherwise }: Options = {}): MethodDecorator {
  const { limit, seconds } = BUDGETS[name];
  const budgetOf = (context: ExecutionContext): BudgetName =>
    otherwise?.(context.switchToHttp().getRequest<FastifyRequest>().body) ?? name;
  const generateKey = (context: ExecutionContext, tracker: string): string => `${budgetOf(context)}:${tracker}`;
  const getTracker = by === 'session' ? sessionOf : undefined;
  return applyDecorators(
    Throttle({
      default: {
        limit: (context) => BUDGETS[budgetOf(context)].limit,
        ttl: (context) => BUDGETS[budgetOf(context)].seconds * 1000,
        generateKey,
        ...(getTracker && { getTracker }),
      },
    }),
    ApiExtension(BUDGET_EXTENSION, { limit, seconds }),
  );
}

/** No limit: for routes that monitoring calls all the time. */
export const Unlimited = (): ClassDecorator & MethodDecorator =>
  applyDecorators(SkipThrottle(), ApiExtension(UNLIMITED_EXTENSION, true));

const sessionOf = ({ user }: Record<string, unknown>): string => (user as Principal).sessionId;
