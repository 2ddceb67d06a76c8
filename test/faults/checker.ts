import { Evidence } from './evidence.js';
import type { Entry, Final } from './history.js';
import { changeRules } from './change-rules.js';
import { deliveryRules, latencies } from './delivery-rules.js';
import { logRules } from './log-rules.js';

/** A broken promise, with the entries that show it. */
export interface Violation {
  readonly rule: string;
  readonly what: string;
  readonly evidence: readonly Entry[];
}

export type Rule = (evidence: Evidence) => Iterable<Violation>;

export interface Verdict {
  readonly violations: readonly Violation[];
  readonly counts: Readonly<Record<string, number>>;
  /** From an ack to the last of the devices it had to reach live, in milliseconds, ascending; outside faults but those of Redis. */
  readonly latencies: readonly number[];
}

/** What a run has broken of what the contract promises: nothing but the record and the database decide. */
export function check(entries: readonly Entry[], final: Final): Verdict {
  const evidence = new Evidence(entries, final);
  const violations = [...logRules, ...changeRules, ...deliveryRules].flatMap((rule) => [...rule(evidence)]);
  return { violations, counts: countsOf(evidence), latencies: latencies(evidence) };
}

function countsOf({ sendings, changings, deliveries, tidings, syncs, reads, final }: Evidence): Record<string, number> {
  const all = [...sendings.values()];
  const live = deliveries.filter((delivery) => delivery.live !== undefined);
  const heard = new Set(live.map(({ device, message }) => `${device} ${message.chat} ${message.seq}`));
  return {
    'messages sent': all.length,
    acked: all.filter(({ oks }) => oks.length > 0).length,
    'refused for good': all.filter(({ oks, fails }) => oks.length === 0 && fails > 0).length,
    'never known': all.filter(({ oks, fails }) => oks.length === 0 && fails === 0).length,
    'tries without an answer': all.reduce((sum, { unknowns }) => sum + unknowns, 0),
    'replayed acks': all.flatMap(({ oks }) => oks).filter(({ replayed }) => replayed).length,
    'messages stored': final.messages.length,
    'edits and deletions acked': [...changings.values()].filter(({ oks }) => oks.length > 0).length,
    'heard live': live.length,
    'heard twice': live.length - heard.size,
    'edits and deletions heard': tidings.length,
    'got by sync': deliveries.length - live.length,
    syncs: syncs.length,
    reads: reads.length,
  };
}
