/** What signalling delivers: judged at the call, refused before anything changes, and nothing left to trip over later. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RtcError, Rtc, SeededRandom } from '../../src/index.ts';
import type { TransportParameters } from '../../src/index.ts';
import { certificates } from './pair.ts';

const HOST = 'candidate:1 1 udp 2130706431 192.0.2.9 5000 typ host';
const PASSWORD = 'p'.repeat(22);

const parameters: TransportParameters = {
  ice: { usernameFragment: 'abcd', password: PASSWORD },
  iceRole: 'controlling',
  dtlsRole: 'client',
  fingerprints: [certificates[1].fingerprint],
};

function makeRtc(options: object = {}): Rtc {
  const rtc = new Rtc({ certificate: certificates[0], random: new SeededRandom(1), ...options });
  rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address: '192.0.2.1', port: 5000 });
  return rtc;
}

/** Drains, and comes back for some of the deadlines: whatever was left behind would show. */
function live(rtc: Rtc): void {
  let now = 1;
  for (let turn = 0; turn < 8; turn++) {
    rtc.handleInput({ type: 'timeout', now });
    let output = rtc.pollOutput();
    while (output.type !== 'timeout') output = rtc.pollOutput();
    if (output.at === Infinity) return;
    now = output.at;
  }
}

/** The code of what `call` throws, which must be ours and must have changed nothing; `taken` if it throws nothing. */
function outcome(rtc: Rtc, call: () => unknown): string {
  const before = JSON.stringify(rtc.inspect());
  try {
    call();
  } catch (error) {
    if (!(error instanceof RtcError)) throw error;
    expect(JSON.stringify(rtc.inspect())).toBe(before);
    return error.code;
  }
  return 'taken';
}

const offerOf = (): string => {
  const draft = makeRtc().negotiation();
  draft.addChannel('chat');
  return draft.offer().sdp;
};

describe('A3: whatever signalling delivers', () => {
  const names = [
    'type protocol address port foundation component priority relatedAddress relatedPort tcpType usernameFragment',
    'candidate sdpMid sdpMLineIndex sdp ice iceRole dtlsRole fingerprints sctpPort maxMessageSize password lite',
    'algorithm value localSetup remoteSetup base __proto__ constructor',
  ].flatMap((line) => line.split(' '));
  const leaf = fc.oneof(
    fc.constantFrom<unknown>(
      null,
      undefined,
      true,
      NaN,
      -1,
      0,
      1,
      65_536,
      1e300,
      '',
      'udp',
      'tcp',
      'host',
      'offer',
    ),
    fc.constantFrom<unknown>(
      '192.0.2.7',
      'fe80::1%eth0',
      'x.local',
      'abcd',
      PASSWORD,
      'client',
      'controlling',
      HOST,
    ),
    fc.constantFrom<unknown>(
      'sha-256',
      certificates[1].fingerprint.value,
      'candidate:',
      'v=0',
      [],
      10n,
      Symbol('x'),
    ),
    fc.string({ maxLength: 8 }),
  );
  const { any } = fc.letrec<{ any: unknown }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      { arbitrary: leaf, weight: 3 },
      fc.dictionary(fc.constantFrom(...names), tie('any'), { maxKeys: 8 }),
      fc.array(tie('any'), { maxLength: 3 }),
    ),
  }));
  /** Something right with one thing wrong gets further than garbage does. */
  const damaged = (whole: object): fc.Arbitrary<unknown> =>
    fc.tuple(fc.constantFrom(...Object.keys(whole)), any).map(([key, value]) => ({ ...whole, [key]: value }));
  const candidate = {
    type: 'host',
    protocol: 'udp',
    address: '192.0.2.7',
    port: 7,
    foundation: '1',
    component: 1,
    priority: 1,
  };
  const anything = fc.oneof(
    any,
    damaged(parameters),
    damaged(parameters.ice).map((ice) => ({ ...parameters, ice })),
    damaged({
      ...candidate,
      relatedAddress: '192.0.2.8',
      relatedPort: 8,
      tcpType: 'so',
      usernameFragment: 'abcd',
    }),
    damaged({
      type: 'srflx',
      protocol: 'udp',
      address: '192.0.2.7',
      port: 7,
      base: { address: '192.0.2.1', port: 1 },
    }),
    damaged({ candidate: HOST, sdpMid: '0', sdpMLineIndex: 0, usernameFragment: 'abcd' }),
  );
  const calls: Readonly<Record<string, (rtc: Rtc, value: never) => unknown>> = {
    addRemoteCandidate: (rtc, value) => {
      rtc.addRemoteCandidate(value);
    },
    addLocalCandidate: (rtc, value) => rtc.addLocalCandidate(value),
    start: (rtc, value) => {
      rtc.start(value);
    },
    receiveOffer: (rtc, value) => rtc.receiveOffer(value).answer(),
    accept: (rtc, value) => {
      rtc.negotiation().offer().accept(value);
    },
    createChannel: (rtc, value) => rtc.createChannel('chat', value),
    addChannel: (rtc, value) => rtc.negotiation().addChannel('chat', value),
  };

  it.each(Object.keys(calls))(
    '%s throws an RtcError and changes nothing, or nothing throws ever after',
    (name) => {
      fc.assert(
        fc.property(anything, fc.boolean(), (value, isStarted) => {
          const rtc = makeRtc();
          if (isStarted && name.endsWith('Candidate')) rtc.start(parameters);
          if (name === 'accept') {
            const offer = rtc.negotiation().offer();
            outcome(rtc, () => {
              offer.accept(value as never);
            });
          } else {
            outcome(rtc, () => calls[name]?.(rtc, value as never));
          }
          live(rtc);
          rtc.close();
          live(rtc);
        }),
        { numRuns: 150 },
      );
    },
  );

  it.each<[string, (rtc: Rtc) => unknown, string]>([
    [
      'a candidate with a protocol alone',
      (rtc) => rtc.addRemoteCandidate({ protocol: 'udp' } as never),
      'candidate.type',
    ],
    [
      'a candidate of a protocol that is none',
      (rtc) => rtc.addRemoteCandidate({ ...candidate, protocol: 'sctp' } as never),
      'candidate.protocol',
    ],
    [
      'a candidate whose address is a number',
      (rtc) => rtc.addRemoteCandidate({ ...candidate, address: 5 } as never),
      'candidate.address',
    ],
    [
      'a candidate whose port is text',
      (rtc) => rtc.addRemoteCandidate({ ...candidate, port: '7' } as never),
      'candidate.port',
    ],
    [
      'a candidate with another kind of TCP',
      (rtc) => rtc.addRemoteCandidate({ ...candidate, tcpType: 'both' } as never),
      'candidate.tcpType',
    ],
    [
      'a dictionary of something else',
      (rtc) => rtc.addRemoteCandidate({ candid: HOST } as never),
      'candidate.type',
    ],
    ['parameters without ice', (rtc) => rtc.start({ ...parameters, ice: undefined } as never), 'ice'],
    [
      'a password of five characters',
      (rtc) => rtc.start({ ...parameters, ice: { usernameFragment: 'abcd', password: 'short' } }),
      'ice.password',
    ],
    ['a role that is none', (rtc) => rtc.start({ ...parameters, dtlsRole: 'active' } as never), 'dtlsRole'],
    ['no fingerprint', (rtc) => rtc.start({ ...parameters, fingerprints: [] }), 'fingerprints'],
    [
      'fingerprints nobody should trust',
      (rtc) => rtc.start({ ...parameters, fingerprints: [{ algorithm: 'sha-1', value: 'AB' }] }),
      'fingerprints',
    ],
    ['a port that is none', (rtc) => rtc.start({ ...parameters, sctpPort: 0 }), 'sctpPort'],
    ['a size that is none', (rtc) => rtc.start({ ...parameters, maxMessageSize: NaN }), 'maxMessageSize'],
    ['a parameter nobody knows', (rtc) => rtc.start({ ...parameters, sctpport: 5000 } as never), 'start'],
    [
      'a local candidate without an address',
      (rtc) => rtc.addLocalCandidate({ type: 'host', protocol: 'udp', port: 1 } as never),
      'address',
    ],
    [
      'a host candidate with a related address',
      (rtc) =>
        rtc.addLocalCandidate({
          type: 'host',
          protocol: 'udp',
          address: '192.0.2.3',
          port: 1,
          relatedAddress: '10.0.0.1',
        }),
      'relatedAddress',
    ],
  ])('A3: %s is refused by name', (_, call, name) => {
    const rtc = makeRtc();
    expect(() => call(rtc)).toThrow(`"${name}"`);
    expect(outcome(rtc, () => call(rtc))).toBe('ERR_BAD_ARGUMENT');
  });

  it('A3: what the caller changes afterwards does not count', () => {
    const rtc = makeRtc();
    const changed = { ...parameters, ice: { ...parameters.ice } };
    rtc.start(changed);
    changed.ice.password = 'short';
    expect(() => {
      live(rtc);
    }).not.toThrow();
  });
});

describe('C3: credentials as Elixir servers and others make them', () => {
  const offer = offerOf();
  const foreign = offer
    .replace(/a=ice-ufrag:.*/, 'a=ice-ufrag:a_b-c=')
    .replace(/a=ice-pwd:.*/, 'a=ice-pwd:c2Fuc3J0Yy1maWVsZC1j0Q==');

  it('C3: are taken in descriptions, parameters and candidates', () => {
    const rtc = makeRtc();
    rtc.receiveOffer(foreign).answer();
    rtc.addRemoteCandidate(`${HOST} ufrag a_b-c=`);
    live(rtc);
    expect(rtc.inspect().ice).toMatchObject({
      remoteUsernameFragment: 'a_b-c=',
      remoteCandidates: [{ address: '192.0.2.1' }, { address: '192.0.2.9' }],
      counters: { 'check-sent': 2 },
    });
    const direct = makeRtc();
    direct.start({ ...parameters, ice: { usernameFragment: 'ab=d', password: 'c2Fuc3J0Yy1maWVsZC1j0Q==' } });
    live(direct);
    expect(direct.inspect().ice.remoteUsernameFragment).toBe('ab=d');
  });

  it('C3: and refused by strictSdp; our own stay to the letter', () => {
    expect(() => makeRtc({ strictSdp: true }).receiveOffer(foreign)).toThrow('ice-credentials-invalid');
    expect(() => makeRtc({ ice: { usernameFragment: 'a_b-c=' } })).toThrow('"ice.usernameFragment"');
  });
});

describe('C5: the forms of W3C', () => {
  it.each([
    [null],
    [{}],
    [''],
    [{ candidate: '' }],
    [{ candidate: '', sdpMid: '0' }],
    [{ sdpMid: null, sdpMLineIndex: 0 }],
  ])('C5: addRemoteCandidate(%j) says that no more will come', (given) => {
    const rtc = makeRtc();
    rtc.start(parameters);
    rtc.addRemoteCandidate(given);
    live(rtc);
    expect(rtc.inspect().ice.endOfRemoteCandidates).toBe(true);
  });

  it.each([
    [5],
    [true],
    [[]],
    [{ candidate: null }],
    [{ candidate: 5 }],
    [{ candidate: HOST, sdpMid: 5 }],
    [undefined],
  ])('C5: addRemoteCandidate(%j) is a typed error', (given) => {
    const rtc = makeRtc();
    expect(outcome(rtc, () => rtc.addRemoteCandidate(given as never))).toBe('ERR_BAD_ARGUMENT');
  });

  it('C5: descriptions are taken as { type, sdp }, of the right type', () => {
    const offerer = makeRtc();
    const draft = offerer.negotiation();
    draft.addChannel('chat');
    const offer = draft.offer();
    const answerer = makeRtc();
    for (const wrong of [
      undefined,
      null,
      5,
      {},
      { type: 'answer', sdp: offer.sdp },
      { type: 'offer' },
      { type: 'offer', sdp: 5 },
    ]) {
      expect(outcome(answerer, () => answerer.receiveOffer(wrong as never))).toBe('ERR_BAD_ARGUMENT');
    }
    const sdp = answerer.receiveOffer({ type: 'offer', sdp: offer.sdp }).answer();
    for (const wrong of [
      undefined,
      null,
      5,
      {},
      { type: 'offer', sdp },
      { type: 'pranswer', sdp },
      { type: 'answer' },
    ]) {
      expect(outcome(offerer, () => offer.accept(wrong as never))).toBe('ERR_BAD_ARGUMENT');
    }
    offer.accept({ type: 'answer', sdp });
    expect(offerer.signalingState).toBe('stable');
  });
});

it.each([
  [HOST.replace('udp', 'ssltcp')],
  [HOST.replace('host', 'local')],
  [HOST.replace('1 1 udp', '1 2 udp')],
  [HOST.replace('192.0.2.9', 'fe80::1%eth0')],
  [{ candidate: HOST, usernameFragment: '' }],
  [{ candidate: HOST, usernameFragment: 'x' }],
])('C6, C13: %j is of no use: ignored and counted', (given) => {
  const rtc = makeRtc();
  rtc.start(parameters);
  rtc.addRemoteCandidate(given);
  live(rtc);
  expect(rtc.inspect()).toMatchObject({ candidatesIgnored: 1, ice: { remoteCandidates: [] } });
});

it('C6: a camera’s candidate without a foundation is used', () => {
  const rtc = makeRtc();
  rtc.receiveOffer(offerOf().replace(/a=candidate:\d+ /, 'a=candidate: ')).answer();
  live(rtc);
  expect(rtc.inspect().ice.remoteCandidates).toHaveLength(1);
});

it('C13: an object’s zone is not cut off', () => {
  const rtc = makeRtc();
  rtc.start(parameters);
  rtc.addRemoteCandidate({
    type: 'host',
    protocol: 'udp',
    address: 'fe80::1%eth0',
    port: 7,
    foundation: '1',
    component: 1,
    priority: 1,
  });
  live(rtc);
  expect(rtc.inspect().ice).toMatchObject({ remoteCandidates: [], counters: { 'candidate-unusable': 1 } });
});

it('C13: twelve offers of 120 candidates before any input are answered, the rest of the candidates ignored and counted', () => {
  const rtc = makeRtc();
  const first = offerOf();
  const lines = Array.from({ length: 120 }, (_, i) => `a=${HOST.replace('.9', `.${i + 10}`)}`).join('\r\n');
  const offer = first.replace(/a=candidate:.*/, lines);
  for (let i = 0; i < 12; i++) expect(rtc.receiveOffer(offer).answer()).toContain('m=application');
  for (let i = 0; i < 2000; i++) rtc.addRemoteCandidate(i % 2 === 0 ? HOST : '');
  const { deferred, candidatesIgnored } = rtc.inspect();
  expect(deferred).toBeLessThanOrEqual(1004);
  expect(candidatesIgnored).toBeGreaterThan(1400);
  live(rtc);
  expect(rtc.signalingState).toBe('stable');
});

describe('a draft of an offer', () => {
  it('that is dropped leaves nothing behind', () => {
    const rtc = makeRtc({ channels: { limits: { maxChannels: 1 } } });
    const before = JSON.stringify(rtc.inspect());
    let wakes = 0;
    rtc.onWake = () => wakes++;
    const chat = rtc.negotiation().addChannel('chat');
    expect(chat).toMatchObject({ readyState: 'connecting', bufferedAmount: 0 });
    expect(JSON.stringify(rtc.inspect())).toBe(before);
    expect([rtc.bufferedBytes, wakes]).toEqual([0, 0]);
    expect(rtc.createChannel('the only one').readyState).toBe('connecting');
    rtc.close();
    expect(chat.readyState).toBe('closed');
  });

  it('makes its channels with the offer', () => {
    const rtc = makeRtc();
    const draft = rtc.negotiation();
    draft.addChannel('chat');
    draft.addChannel('fixed', { negotiated: true, id: 5 });
    expect(draft.channels.map(({ id }) => id)).toEqual([undefined, 5]);
    expect(rtc.inspect().channels.channels).toEqual([]);
    draft.offer();
    draft.addChannel('late');
    const labels = rtc.inspect().channels.channels.map(({ label }) => label);
    expect(labels).toEqual(['chat', 'fixed', 'late']);
  });

  it('whose channel cannot be any more makes no offer', () => {
    const rtc = makeRtc();
    const draft = rtc.negotiation();
    draft.addChannel('fixed', { negotiated: true, id: 5 });
    rtc.createChannel('mine', { negotiated: true, id: 5 });
    expect(outcome(rtc, () => draft.offer())).toBe('ERR_BAD_ARGUMENT');
    expect(rtc.signalingState).toBe('stable');
  });
});
