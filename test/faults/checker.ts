import { Evidence } from './evidence.js';
import type { Entry, FinalState } from './history.js';
import { changeRules } from './change-rules.js';
import { clientRules } from './client-rules.js';
import { deliveryRules, latencies } from './delivery-rules.js';
import { logRules } from './log-rules.js';

/** A broken rule, with the entries of the history that show it. */
export interface Violation {
  readonly rule: string;
  readonly what: string;
  readonly evidence: readonly Entry[];
}

export type Rule = (evidence: Evidence) => Iterable<Violation>;

export interface Verdict {
  readonly violations: readonly Violation[];
  readonly counts: Readonly<Record<string, number>>;
  /**
   * Milliseconds from an ack to the last device that had to get the message live, ascending. Messages during a fault
   * are left out, unless it is one of Redis.
   */
  readonly latencies: readonly number[];
}

/** Checks a run against the rules. It uses only the history of the run and the final state of the database. */
export function check(entries: readonly Entry[], final: FinalState): Verdict {
  const evidence = new Evidence(entries, final);
  const violations = [...logRules, ...changeRules, ...deliveryRules, ...clientRules].flatMap((rule) => [
    ...rule(evidence),
  ]);
  return { violations, counts: countsOf(evidence), latencies: latencies(evidence) };
}

function countsOf(evidence: Evidence): Record<string, number> {
  const { sends, edits, deliveries, editDeliveries, syncs, reads, accepted, final } = evidence;
  const all = [...sends.values()];
  const live = deliveries.filter((delivery) => delivery.live !== undefined);
  const received = new Set(live.map(({ device, message }) => `${device} ${message.chat} ${message.seq}`));
  return {
    'messages sent': all.length,
    'accepted by clients': accepted.length,
    acked: all.filter(({ oks }) => oks.length > 0).length,
    'refused for good': all.filter(({ oks, fails }) => oks.length === 0 && fails > 0).length,
    'never known': all.filter(({ oks, fails }) => oks.length === 0 && fails === 0).length,
    'tries without an answer': all.reduce((sum, { unknowns }) => sum + unknowns, 0),
    'replayed acks': all.flatMap(({ oks }) => oks).filter(({ replayed }) => replayed).length,
    'messages stored': final.messages.length,
    'edits and deletions acked': [...edits.values()].filter(({ oks }) => oks.length > 0).length,
    'received live': live.length,
    'received twice': live.length - received.size,
    'edits and deletions received': editDeliveries.length,
    'got by sync': deliveries.length - live.length,
    syncs: syncs.length,
    reads: reads.length,
  };
}
