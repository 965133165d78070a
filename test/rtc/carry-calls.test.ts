/** Every call of `rtc/calls.ts`, in every state of a connection, inside of a drain and outside: nothing stays uncarried. */
import { audioPlan } from '../negotiation/media-plans.ts';
import { describe, expect, it, test } from 'vitest';
import type { Media } from '../../src/index.ts';
import { jsCrypto } from '../../src/index.ts';
import type { CallName } from '../../src/rtc/calls.ts';
import { rtpMedia } from '../../src/media/index.ts';
import { memoizedCrypto } from '../../src/sim/index.ts';
import type { End, Pair } from './pair.ts';
import { makeUnsignalledPair } from './pair.ts';

const crypto = memoizedCrypto(jsCrypto());

const CANDIDATE = 'candidate:1 1 udp 2130706431 192.0.2.99 99 typ host';

/** What is called upon: the end that offers, as far as it has come. */
interface Stage {
  readonly pair: Pair;
  readonly offer: ReturnType<ReturnType<End['rtc']['negotiation']>['offer']> | undefined;
  readonly chat: ReturnType<End['rtc']['createChannel']> | undefined;
  /** Where the call is one of media. */
  readonly audio: Media | undefined;
}

/** A call that is not here does not compile; one that is never made, in whatever state, fails the last test. */
const CALLS: Readonly<Record<CallName, (stage: Stage) => void>> = {
  addLocalCandidate: ({ pair: { offerer } }) => {
    offerer.rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address: '192.0.2.1', port: 5001 });
  },
  removeLocalCandidate: ({ pair: { offerer } }) => {
    const further = { protocol: 'udp', address: '192.0.2.1', port: 5001 } as const;
    offerer.rtc.addLocalCandidate({ type: 'host', ...further });
    offerer.rtc.removeLocalCandidate(further);
  },
  setGatheringState: ({ pair: { offerer } }) => {
    offerer.rtc.setGatheringState('gathering');
    offerer.rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address: '192.0.2.1', port: 5001 });
    offerer.rtc.setGatheringState('complete');
  },
  reportCandidateError: ({ pair: { offerer } }) => {
    const error = {
      url: 'stun:192.0.2.9',
      errorCode: 701,
      errorText: 'no answer',
      address: null,
      port: null,
    };
    offerer.rtc.reportCandidateError(error);
  },
  addRemoteCandidate: ({ pair: { offerer } }) => {
    offerer.rtc.addRemoteCandidate(CANDIDATE);
    offerer.rtc.addRemoteCandidate('');
  },
  start: ({ pair: { offerer, answerer } }) => {
    const { ice, fingerprints } = answerer.rtc.localParameters;
    offerer.rtc.start({ ice, fingerprints, iceRole: 'controlling', dtlsRole: 'client' });
  },
  restartIce: ({ pair: { offerer } }) => {
    offerer.rtc.restartIce();
  },
  setRemoteIceParameters: ({ pair: { offerer } }) => {
    const password = 'p'.repeat(24);
    offerer.rtc.setRemoteIceParameters({ usernameFragment: 'renewed', password });
  },
  setRemoteMaxMessageSize: ({ pair: { offerer } }) => {
    offerer.rtc.setRemoteMaxMessageSize(100_000);
  },
  openData: ({ pair: { offerer } }) => {
    offerer.rtc.closeData();
    offerer.rtc.openData({ sctpPort: 5000 });
  },
  closeData: ({ pair: { offerer } }) => {
    offerer.rtc.closeData();
    offerer.rtc.createChannel('waits');
  },
  setMedia: ({ pair: { offerer } }) => {
    offerer.rtc.setMedia([audioPlan('a', 'inactive')]);
  },
  createChannel: ({ pair: { offerer } }) => {
    offerer.rtc.createChannel('pre-arranged', { negotiated: true, id: 100 });
    offerer.rtc.createChannel('another');
  },
  addMedia: ({ pair: { offerer } }) => void offerer.rtc.negotiation().addMedia('audio'),
  setDirection: ({ pair: { offerer } }) => {
    const draft = offerer.rtc.negotiation();
    draft.setDirection(draft.addMedia('audio'), 'recvonly');
    if (offerer.rtc.signalingState === 'stable') draft.offer();
  },
  setCodecs: ({ pair: { offerer } }) => {
    const draft = offerer.rtc.negotiation();
    draft.setCodecs(draft.addMedia('audio'), [{ mimeType: 'audio/PCMU', clockRate: 8000 }]);
  },
  stopMedia: ({ pair: { offerer } }) => {
    const draft = offerer.rtc.negotiation();
    draft.stop(draft.addMedia('video'));
  },
  offer: ({ pair: { offerer } }) => void offerer.rtc.negotiation().offer(),
  write: ({ pair: { offerer } }) => void offerer.rtc.negotiation().write(),
  commit: ({ pair: { offerer } }) => {
    const draft = offerer.rtc.negotiation();
    draft.addMedia('audio');
    draft.write().commit();
  },
  accept: ({ pair: { answerer }, offer }) => offer?.accept(answerer.rtc.receiveOffer(offer.sdp).answer()),
  acceptProvisional: ({ pair: { answerer }, offer }) =>
    offer?.acceptProvisional(answerer.rtc.receiveOffer(offer.sdp).answer()),
  rollback: ({ pair: { offerer }, offer }) => {
    (offer ?? offerer.rtc.negotiation().offer()).rollback();
  },
  apply: ({ pair: { offerer, answerer } }) => {
    offerer.rtc.receiveOffer(answerer.rtc.negotiation().offer().sdp).apply();
  },
  provisionalAnswer: ({ pair: { offerer, answerer } }) => {
    const received = offerer.rtc.receiveOffer(answerer.rtc.negotiation().offer().sdp);
    received.provisionalAnswer();
  },
  answer: ({ pair: { offerer, answerer } }) => {
    const draft = answerer.rtc.negotiation();
    draft.addChannel('theirs');
    offerer.rtc.receiveOffer(draft.offer().sdp).answer();
  },
  send: ({ chat }) => void chat?.send('a word'),
  pauseReading: ({ chat }) => chat?.pauseReading(),
  resumeReading: ({ chat }) => {
    chat?.pauseReading();
    chat?.resumeReading();
  },
  setLowThreshold: ({ chat }) => {
    if (chat !== undefined) chat.bufferedAmountLowThreshold = 100;
  },
  setPriority: ({ chat }) => {
    if (chat !== undefined) chat.priority = 'high';
  },
  closeChannel: ({ chat }) => chat?.close(),
  writeRtp: ({ audio }) => void audio?.sender()?.write({ payload: new Uint8Array(100), timestamp: 960 }),
  writeDtmf: ({ audio }) => void audio?.sender()?.writeDtmf('5,#'),
  requestKeyframe: ({ pair: { offerer } }) => {
    for (const { id } of offerer.rtc.media) offerer.rtc.requestKeyframe(id);
  },
  sendRemb: ({ pair: { offerer } }) => void offerer.rtc.sendRemb(1_000_000),
  setPathHeld: ({ pair: { offerer } }) => {
    const local = { address: '192.0.2.1', port: 5000 };
    const path = { protocol: 'udp', local, remote: { address: '192.0.2.2', port: 5000 } } as const;
    offerer.rtc.setPathHeld(path, false);
    offerer.rtc.setPathHeld(path, true);
  },
  shutdown: ({ pair: { offerer } }) => {
    offerer.rtc.shutdown();
  },
  close: ({ pair: { offerer } }) => {
    offerer.rtc.close();
  },
};

/** How far a connection is: told once the end that offers has come there. */
interface State {
  readonly isOffered: boolean;
  readonly isAnswered: boolean;
  /** What is done to it when it is open; without, it goes its way. */
  readonly afterOpen?: (pair: Pair) => void;
  readonly isReached: (end: End) => boolean;
}

function hasHeard({ events }: End, type: string, state?: string): boolean {
  return events.some(
    (event) => event.type === type && (state === undefined || ('state' in event && event.state === state)),
  );
}

const signalled = { isOffered: true, isAnswered: true } as const;

const STATES: Readonly<Record<string, State>> = {
  new: { isOffered: false, isAnswered: false, isReached: () => true },
  offered: { isOffered: true, isAnswered: false, isReached: () => true },
  checking: { ...signalled, isReached: ({ rtc }) => rtc.iceConnectionState === 'checking' },
  handshake: { ...signalled, isReached: (end) => hasHeard(end, 'dtlsstatechange', 'connecting') },
  associating: { ...signalled, isReached: (end) => hasHeard(end, 'sctpstatechange', 'connecting') },
  open: { ...signalled, isReached: (end) => hasHeard(end, 'channelopen') },
  disconnected: {
    ...signalled,
    afterOpen: ({ net, offerer }) => net.partition([offerer.host]),
    isReached: ({ rtc }) => rtc.iceConnectionState === 'disconnected',
  },
  'shutting down': {
    ...signalled,
    afterOpen: ({ offerer }) => {
      offerer.rtc.shutdown();
    },
    isReached: ({ channels }) => channels.get('chat')?.readyState === 'closing',
  },
  closing: {
    ...signalled,
    afterOpen: ({ offerer }) => {
      offerer.rtc.close();
    },
    isReached: ({ rtc }) => rtc.connectionState === 'closed',
  },
  closed: {
    ...signalled,
    afterOpen: ({ offerer }) => {
      offerer.rtc.close();
    },
    isReached: (end) => hasHeard(end, 'closed'),
  },
};

/** Calls that are made where media are agreed on, too. */
const OF_MEDIA: ReadonlySet<CallName> = new Set(['writeRtp', 'writeDtmf', 'requestKeyframe', 'sendRemb']);

/** Calls that a trace has told of, in whatever state. */
const made = new Set<string>();

function setStage({ isOffered, isAnswered }: State, name: CallName): Stage {
  // The address that a call adds is nobody's in this network: no check may leave from there on its own.
  const hasMedia = OF_MEDIA.has(name);
  const media = hasMedia ? rtpMedia() : undefined;
  const offerer = { ice: { maxBackupPairs: 0 }, media };
  const pair = makeUnsignalledPair({ crypto, conditions: { latency: 20 }, offerer, answerer: { media } });
  pair.offerer.rtc.setTrace((entry) => {
    if (entry.type === 'call') made.add(entry.call.method);
  });
  if (!isOffered) return { pair, offer: undefined, chat: undefined, audio: undefined };
  const draft = pair.offerer.rtc.negotiation();
  const chat = draft.addChannel('chat');
  const audio = hasMedia ? draft.addMedia('audio', { direction: 'sendrecv' }) : undefined;
  if (hasMedia) draft.addMedia('video', { direction: 'sendrecv' });
  const offer = draft.offer();
  if (!isAnswered) return { pair, offer, chat, audio };
  const received = pair.answerer.rtc.receiveOffer(offer.sdp);
  for (const one of received.media) one.direction = 'sendrecv';
  offer.accept(received.answer());
  // A keyframe can be asked for of what is heard.
  for (let at = 20; hasMedia && at < 2000; at += 20) {
    pair.net.after(at, () => {
      for (const one of pair.answerer.rtc.media)
        one.sender()?.write({ payload: new Uint8Array(9), timestamp: at });
    });
  }
  return { pair, offer: undefined, chat, audio };
}

function callOn(stage: Stage, name: CallName): void {
  try {
    CALLS[name](stage);
  } catch (error) {
    // Misuse in this state: refused before anything has changed.
    expect(error).toMatchObject({ name: expect.stringMatching(/^(RtcError|SdpRefusal)$/) as string });
  }
}

const PATIENCE = 20_000;

/** The simulator asserts `invariantViolation` after every step: an uncarried event is one. */
function requireQuiet({ pair }: Stage): void {
  pair.net.run({ limit: 500 });
  expect(pair.offerer.rtc.invariantViolation()).toBeUndefined();
  expect(pair.answerer.rtc.invariantViolation()).toBeUndefined();
}

describe.each(Object.entries(STATES))('%s', (_, state) => {
  const open = (pair: Pair): void => {
    if (state.afterOpen === undefined) return;
    pair.net.run({ until: () => hasHeard(pair.offerer, 'channelopen'), limit: PATIENCE });
    state.afterOpen(pair);
  };

  test.each(Object.keys(CALLS) as CallName[])('%s, outside of a drain', (name) => {
    const stage = setStage(state, name);
    const { net, offerer } = stage.pair;
    open(stage.pair);
    if (state.isOffered) net.run({ until: () => state.isReached(offerer), limit: PATIENCE });
    expect(state.isReached(offerer)).toBe(true);
    callOn(stage, name);
    requireQuiet(stage);
  });

  test.each(Object.keys(CALLS) as CallName[])('%s, inside of a drain', (name) => {
    const stage = setStage(state, name);
    const { net, offerer } = stage.pair;
    open(stage.pair);
    let isCalled = false;
    const callOnce = (): void => {
      if (isCalled || !state.isReached(offerer)) return;
      isCalled = true;
      callOn(stage, name);
    };
    // After an input and before the drain; or in it, when an event brings the state about.
    offerer.tap.input = (_input, pass) => {
      pass();
      callOnce();
    };
    offerer.tap.hears = callOnce;
    net.run({ until: () => isCalled, limit: PATIENCE });
    expect(isCalled).toBe(true);
    requireQuiet(stage);
  });
});

it('every call of the table has been made', () => {
  expect([...made].sort()).toEqual(Object.keys(CALLS).sort());
});
