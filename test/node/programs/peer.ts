/**
 * A process with connections, each with one channel; it echoes what does not start with "echo:". Those it answers share
 * one UDP port; each that it offers has a port of its own, as browsers' have. Driven by its parent: see test/node/program.ts. Its argument is the address to bind.
 */
import { nodeCrypto } from '../../../src/crypto/node/index.ts';
import { type DataChannel, type PendingOffer, Rtc, selfSignedCertificate } from '../../../src/index.ts';
import { UdpDriver, type UdpDriverStats } from '../../../src/node/index.ts';

export interface Report {
  readonly open: number;
  /** Why connections have ended. */
  readonly ended: readonly string[];
  readonly udp: UdpDriverStats;
}

const crypto = nodeCrypto();
const certificate = selfSignedCertificate({ crypto });
const address = process.argv[2];
/** The latest one. */
let driver = await UdpDriver.listen({ address });
const channels = new Set<DataChannel>();
const ended: string[] = [];
const echoes = new Map<string, () => void>();
let pending: PendingOffer | undefined;

function connection(): Rtc {
  const rtc = new Rtc({ certificate, crypto });
  driver.add(rtc, (event) => {
    if (event.type === 'channelopen' || event.type === 'datachannel') channels.add(event.channel);
    else if (event.type === 'channelclose') channels.delete(event.channel);
    else if (event.type === 'closed') ended.push(event.reason.code);
    else if (event.type === 'message' && typeof event.data === 'string') {
      if (event.data.startsWith('echo:')) echoes.get(event.data.slice(5))?.();
      else event.channel.send(`echo:${event.data}`);
    }
  });
  return rtc;
}

const methods: Record<string, (argument: string) => unknown> = {
  async offer() {
    driver = await UdpDriver.listen({ address });
    const draft = connection().negotiation();
    draft.addChannel('words');
    pending = draft.offer();
    return pending.sdp;
  },
  accept(answer) {
    pending?.accept(answer);
  },
  answer(offer) {
    return connection().receiveOffer(offer).answer();
  },
  /** Says a word on every channel; resolves when all of them have come back. */
  async say(word) {
    await Promise.all(
      [...channels].map((channel, i) => {
        const text = `${word} ${String(i)}`;
        const echoed = new Promise<void>((resolve) => echoes.set(text, resolve));
        channel.send(text);
        return echoed;
      }),
    );
  },
  report(): Report {
    return { open: channels.size, ended, udp: driver.stats() };
  },
};

process.on('message', ({ id, method, argument }: { id: number; method: string; argument: string }) => {
  Promise.resolve()
    .then(() => methods[method]?.(argument))
    .then(
      (result) => process.send?.({ id, result }),
      (error: unknown) => process.send?.({ id, error: String(error) }),
    );
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
