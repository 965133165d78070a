/** Checks of the runtime: Node's version, clock and timers, how fast cryptography is, and a whole connection over loopback. */
import { AEAD_TAG_LENGTH, jsCrypto, type CryptoProvider } from '../crypto/index.ts';
import { nodeCrypto } from '../crypto/node/index.ts';
import { selfSignedCertificate } from '../dtls/index.ts';
import { UdpDriver } from '../node/index.ts';
import { Rtc } from '../rtc.ts';
import type { Check, Finding } from './finding.ts';
import { duration } from './words.ts';

const OLDEST_NODE = [20, 19] as const;

/** Whether this Node is one that the package supports. */
export const nodeCheck: Check = {
  what: 'looking at Node',
  run() {
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
    const isOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
    const text = `Node ${process.versions.node} on ${process.platform} ${process.arch}`;
    const data = { node: process.versions.node, platform: process.platform, arch: process.arch };
    if (!isOld) return [{ area: 'runtime', status: 'ok', text, data }];
    const advice = [`Install Node ${OLDEST_NODE.join('.')} or later.`];
    return [{ area: 'runtime', status: 'fail', text: `${text}, which is too old`, advice, data }];
  },
};

/** Coarser steps than this make round trips and pacing a guess, ms. */
const COARSE_CLOCK = 1;

/** The steps of the clock that everything is timed by. */
export const clockCheck: Check = {
  what: 'looking at the clock',
  run() {
    let resolution = Infinity;
    for (let i = 0; i < 1000; i++) {
      const from = performance.now();
      let to = from;
      while (to === from) to = performance.now();
      resolution = Math.min(resolution, to - from);
    }
    const text = `clock: performance.now() moves in steps of ${(resolution * 1000).toPrecision(2)} µs`;
    return [
      { area: 'runtime', status: resolution > COARSE_CLOCK ? 'warn' : 'ok', text, data: { resolution } },
    ];
  },
};

/** Later than this is a host that is overloaded, or that shares its processor with too many, ms. */
const LATE_TIMER = 25;

/** How late timers are: a host that is overloaded answers late, whatever the network does. */
export const timerCheck: Check = {
  what: 'looking at timers',
  async run() {
    const late: number[] = [];
    for (let i = 0; i < 20; i++) {
      const due = performance.now() + 5;
      await new Promise((resolve) => setTimeout(resolve, 5));
      late.push(performance.now() - due);
    }
    late.sort((a, b) => a - b);
    const median = Math.max(0, late[10] ?? 0);
    const worst = Math.max(0, late.at(-1) ?? 0);
    const text = `timers: late by ${duration(median)} (median), ${duration(worst)} (worst of 20)`;
    const data = { median, worst };
    if (worst < LATE_TIMER) return [{ area: 'runtime', status: 'ok', text, data }];
    const advice = [
      'The processor is busy or shared: acknowledgements and retransmissions will be late as well.',
    ];
    return [{ area: 'runtime', status: 'warn', text, advice, data }];
  },
};

type ProviderName = 'js' | 'node';

const PROVIDERS: Readonly<Record<ProviderName, () => CryptoProvider>> = { js: jsCrypto, node: nodeCrypto };

/** Bytes of a record, as data channels and media have them. */
const RECORD_LENGTH = 1200;
const MEASURE_FOR = 200;

/** How fast records are sealed and opened. */
export function cryptoCheck(name: ProviderName): Check {
  return {
    what: `measuring cryptography (${name})`,
    run() {
      const key = PROVIDERS[name]().aead('aes-128-gcm', new Uint8Array(16).fill(1));
      const nonce = new Uint8Array(12);
      const header = new Uint8Array(13);
      const sealed = new Uint8Array(RECORD_LENGTH + AEAD_TAG_LENGTH);
      key.seal(nonce, header, sealed, 0, RECORD_LENGTH);
      const seal = rate(() => key.seal(nonce, header, new Uint8Array(sealed.length), 0, RECORD_LENGTH));
      const open = rate(() => {
        if (key.open(nonce, header, sealed.slice(), 0, sealed.length) !== RECORD_LENGTH)
          throw new Error('a record does not open');
      });
      const text = `${name} provider: AES-128-GCM seals ${seal.toFixed(0)} MB/s, opens ${open.toFixed(0)} MB/s (records of ${RECORD_LENGTH} bytes)`;
      return [
        { area: 'crypto', status: 'ok', text, data: { provider: name, sealMBps: seal, openMBps: open } },
      ];
    },
  };
}

/** MB a second of one processor. */
function rate(once: () => void): number {
  for (let i = 0; i < 200; i++) once(); // compiled now
  const started = performance.now();
  let bytes = 0;
  let passed = 0;
  while (passed < MEASURE_FOR) {
    for (let i = 0; i < 50; i++) once();
    bytes += 50 * RECORD_LENGTH;
    passed = performance.now() - started;
  }
  return bytes / 1000 / passed;
}

/** How long the connection over loopback may take; the library's own deadlines are longer, ms. */
const CONNECT_WITHIN = 20_000;

/** Two whole connections over real UDP on loopback: the first pays for compiling, the second is what peers will see. */
export function connectionCheck(name: ProviderName): Check {
  return {
    what: `connecting over loopback (${name})`,
    async run(): Promise<Finding[]> {
      const crypto = PROVIDERS[name]();
      const first = await connectOnce(crypto);
      const second = await connectOnce(crypto);
      const text = `${name} provider: a whole connection over UDP on 127.0.0.1 in ${duration(second)} (the first of the process: ${duration(first)})`;
      return [{ area: 'crypto', status: 'ok', text, data: { provider: name, firstMs: first, ms: second } }];
    },
  };
}

async function connectOnce(crypto: CryptoProvider): Promise<number> {
  const certificate = selfSignedCertificate({ crypto });
  const drivers = [await UdpDriver.listen(), await UdpDriver.listen()] as const;
  let timer: NodeJS.Timeout | undefined;
  try {
    const started = performance.now();
    await new Promise<void>((resolve, reject) => {
      const [offerer, answerer] = drivers.map(() => new Rtc({ certificate, crypto })) as [Rtc, Rtc];
      drivers[0].add(offerer, (event) => {
        if (event.type === 'channelopen') resolve();
        else if (event.type === 'closed') reject(new Error(event.reason.message));
      });
      drivers[1].add(answerer);
      const draft = offerer.negotiation();
      draft.addChannel('doctor');
      const offer = draft.offer();
      offer.accept(answerer.receiveOffer(offer.sdp).answer());
      const late = `nothing connects over UDP on 127.0.0.1 within ${duration(CONNECT_WITHIN)}: a firewall on this host?`;
      timer = setTimeout(() => reject(new Error(late)), CONNECT_WITHIN);
    });
    return performance.now() - started;
  } finally {
    clearTimeout(timer);
    await Promise.all(drivers.map((driver) => driver.close()));
  }
}
