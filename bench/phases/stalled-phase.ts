import { ChatClient } from '../load/chat-client.js';
import type { BenchTarget } from '../targets/bench-target.js';
import { Figure } from '../report/figures.js';
import { CHATS, interleaved, type BenchTargets, settlePause } from '../targets/bench-targets.js';
import type { Measured } from '../load/load-figures.js';
import { RunProblem } from '../load/send-run.js';
import type { DatasetChat } from '../targets/dataset.js';

const MODES = ['stalled', 'reading'] as const;
type Mode = (typeof MODES)[number];

/** Connects one more device of a listener, which reads its connection or doesn't. */
function extraDevice(target: BenchTarget, userId: number, manner: Mode): Promise<ChatClient> {
  return new Promise((resolve, reject) => {
    const client: ChatClient = new ChatClient(target.server.port, target.authOf(userId), {
      onConnected: () => {
        if (manner === 'stalled') client.pause();
        resolve(client);
      },
      onMessage: () => undefined,
      onReceipt: () => undefined,
      onAck: () => undefined,
      onProblem: (what) => reject(new RunProblem([`the extra device: ${what}`])),
    });
  });
}

/** How many sockets the server has disconnected as slow consumers. */
async function cutOff({ metricsPort }: BenchTarget): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  return Number(/^windi_socket_disconnects_total\{reason="slow_consumer"\} (\d+)/m.exec(metrics)?.[1] ?? 0);
}

/** Measures what a device that stops reading costs the others: in a busy chat until it is disconnected, in a large one. */
export async function stalled(targets: BenchTargets, rounds: number): Promise<Measured> {
  const ours = targets.of('ours');
  const over = [{ over: 'reading' }];
  const hot = new Figure('One hot chat, with a device that stalls', 'messages/s', over, 'stalled');
  const cut = new Figure('… and is cut', 'sockets', [], 'stalled');
  const fanOut = new Figure('Fan-out to 1 000 members, one of whom stalls', 'deliveries/s', over, 'stalled');
  const send = async ([chat]: readonly DatasetChat[], manner: Mode, inFlight: number) => {
    const [sender, listener] = chat!.memberIds as [number, number];
    const extra = await extraDevice(ours, listener, manner);
    const shape = { inFlight, warmUpMs: 500, windowMs: 5_000, halfLoadMs: 0 };
    const { full } = await ours.send([chat!], (userId) => userId === sender, shape);
    extra.close();
    await settlePause();
    return full;
  };
  await interleaved(MODES, rounds, async (manner, round) => {
    const before = await cutOff(ours);
    const inHotChat = await send(CHATS.oneSender, manner, 256);
    hot.add(round, manner, inHotChat.acks / inHotChat.seconds);
    cut.add(round, manner, (await cutOff(ours)) - before);
    const among = await send(CHATS.fanOut, manner, 4);
    fanOut.add(round, manner, among.deliveries / among.seconds);
  });
  return { figures: [hot, cut, fanOut], loads: [] };
}
