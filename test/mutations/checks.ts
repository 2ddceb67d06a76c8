import type { Check } from './check.js';
import { connectionChecks } from './connection-checks.js';
import { deliveryChecks } from './delivery-checks.js';
import { messageChecks } from './message-checks.js';
import { peopleChecks } from './people-checks.js';
import { sessionChecks } from './session-checks.js';

/** Every check of who may see, do and receive what, and in which order. */
export const checks: readonly Check[] = [
  ...messageChecks,
  ...peopleChecks,
  ...sessionChecks,
  ...connectionChecks,
  ...deliveryChecks,
];
