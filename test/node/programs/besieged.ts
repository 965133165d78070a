/**
 * A server as a careful user would write it, as a process: it echoes, closes what it refuses, and has a listener that throws
 * when it hears "throw". Driven by its parent: see test/node/program.ts, ../siege.ts.
 */
import { nodeCrypto } from '../../../src/crypto/node/index.ts';
import { Rtc, selfSignedCertificate, type RtcOptions } from '../../../src/index.ts';
import { UdpDriver } from '../../../src/node/index.ts';

export interface BesiegedReport {
  readonly connections: number;
  readonly routes: number;
  readonly armed: number;
  /** Bytes after a collection; 0 where the process may not collect. */
  readonly heap: number;
  /** What `onError` has been told. */
  readonly errors: Readonly<Record<string, number>>;
  readonly internalErrors: number;
}

/** Peers that vanish are given up soon, so that a siege of many takes no minutes. */
const PATIENCE: Partial<RtcOptions> = { signalingTimeout: 2000, ice: { connectTimeout: 1000 } };

const crypto = nodeCrypto();
const certificate = selfSignedCertificate({ crypto });
const errors: Record<string, number> = {};
const driver = await UdpDriver.listen({
  tcp: {},
  onError: (error) => {
    const what = error instanceof Error ? error.message : String(error);
    errors[what] = (errors[what] ?? 0) + 1;
  },
});

function connection(): Rtc {
  const rtc = new Rtc({ certificate, crypto, ...PATIENCE });
  driver.add(rtc, (event) => {
    if (event.type !== 'message') return;
    if (event.data === 'throw') throw new Error('a fault of the application');
    event.channel.send(event.data);
  });
  return rtc;
}

/** Whatever signalling brings is tried on a new connection; true if it was taken. */
function tried(action: (rtc: Rtc) => void): boolean {
  const rtc = connection();
  try {
    action(rtc);
    return true;
  } catch {
    rtc.close();
    return false;
  }
}

const methods: Record<string, (argument: never) => unknown> = {
  addresses: () => ({ udp: driver.addresses[0], tcp: driver.tcpAddresses[0] }),

  answer(offer: string) {
    const rtc = connection();
    try {
      return rtc.receiveOffer(offer).answer();
    } catch (error) {
      rtc.close();
      throw error;
    }
  },
  /** @returns how many of the offers were refused */
  refuse: (offers: string[]) =>
    offers.filter((offer) => !tried((rtc) => rtc.receiveOffer(offer).answer())).length,
  /** Offers nobody closes the connection for. */
  forget(offers: string[]) {
    for (const offer of offers) {
      try {
        connection().receiveOffer(offer).answer();
      } catch {
        // forgotten: the gate `signaling` ends it
      }
    }
  },
  candidates(candidates: unknown[]) {
    for (const candidate of candidates) tried((rtc) => rtc.addRemoteCandidate(candidate as string));
  },
  starts(parameters: unknown[]) {
    for (const one of parameters) tried((rtc) => rtc.start(one as Parameters<Rtc['start']>[0]));
  },
  report(): BesiegedReport {
    const collect = (globalThis as { gc?: () => void }).gc;
    for (let i = 0; i < 3; i++) collect?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    const { connections, routes, armed, counters } = driver.endpoint.inspect();
    return {
      connections,
      routes,
      armed,
      heap: collect === undefined ? 0 : heapUsed + arrayBuffers,
      errors,
      internalErrors: counters.internalErrors,
    };
  },
};

process.on('message', ({ id, method, argument }: { id: number; method: string; argument: never }) => {
  try {
    process.send?.({ id, result: methods[method]?.(argument) });
  } catch (error) {
    process.send?.({ id, error: (error as Error).message });
  }
});
process.send?.('ready');
