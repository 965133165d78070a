/** What whoever gathers tells a connection, and what comes of it. */
import { describe, expect, it } from 'vitest';
import type { Output, RtcEvent } from '../../src/index.ts';
import { Rtc, SeededRandom, selfSignedCertificate } from '../../src/index.ts';

const certificate = selfSignedCertificate({ random: new SeededRandom(1) });
const PLACE = { protocol: 'udp', address: '192.0.2.1', port: 5000 } as const;
const HOST = { type: 'host', ...PLACE } as const;
const MAPPED = { type: 'srflx', protocol: 'udp', address: '198.51.100.1', port: 6000 } as const;
const ERROR = { url: 'stun:192.0.2.9', errorCode: 701, errorText: 'no answer', address: null, port: null };

function makeRtc(options: object = {}): Rtc {
  return new Rtc({ certificate, random: new SeededRandom(2), ...options });
}

function events(rtc: Rtc): RtcEvent[] {
  const said: RtcEvent[] = [];
  rtc.handleInput({ type: 'timeout', now: 1 });
  for (let output: Output = rtc.pollOutput(); output.type !== 'timeout'; output = rtc.pollOutput())
    if (output.type === 'event') said.push(output.event);
  return said;
}

describe('while gathering', () => {
  it('each new candidate is told, with the username fragment that it is for', () => {
    const rtc = makeRtc();
    rtc.addLocalCandidate(HOST);
    expect(rtc.iceGatheringState).toBe('new');
    rtc.setGatheringState('gathering');
    const candidate = rtc.addLocalCandidate({ ...MAPPED, base: { address: HOST.address, port: HOST.port } });
    rtc.addLocalCandidate(HOST);
    rtc.reportCandidateError(ERROR);
    rtc.setGatheringState('complete');
    rtc.setGatheringState('complete');
    const { usernameFragment } = rtc.localParameters.ice;
    expect(events(rtc)).toEqual([
      { type: 'icegatheringstatechange', state: 'gathering' },
      { type: 'icecandidate', candidate: { ...candidate, usernameFragment } },
      { type: 'icecandidateerror', ...ERROR },
      { type: 'icegatheringstatechange', state: 'complete' },
    ]);
    expect(rtc.iceGatheringState).toBe('complete');
    expect(rtc.inspect().iceGatheringState).toBe('complete');
  });

  it('what the policy keeps to ourselves is not told', () => {
    const rtc = makeRtc({ ice: { transportPolicy: 'relay' } });
    rtc.setGatheringState('gathering');
    rtc.addLocalCandidate(HOST);
    expect(events(rtc)).toEqual([{ type: 'icegatheringstatechange', state: 'gathering' }]);
  });

  it('a description made after it says that no more will come', () => {
    const rtc = makeRtc();
    rtc.addLocalCandidate(HOST);
    rtc.setGatheringState('gathering');
    const draft = rtc.negotiation();
    draft.addChannel('chat');
    const early = draft.offer();
    expect(early.sdp).not.toContain('a=end-of-candidates');
    early.rollback();
    rtc.setGatheringState('complete');
    expect(rtc.negotiation().offer().sdp).toContain('a=end-of-candidates');
  });

  it('an address that is gone is in no description any more', () => {
    const rtc = makeRtc();
    rtc.addLocalCandidate(HOST);
    expect(rtc.removeLocalCandidate(PLACE)).toBe(true);
    expect(rtc.removeLocalCandidate(PLACE)).toBe(false);
    expect(rtc.localCandidates).toEqual([]);
  });
});

it('what is no state, no error and no address is refused', () => {
  const rtc = makeRtc();
  const refused = expect.objectContaining({ code: 'ERR_BAD_ARGUMENT' }) as Error;
  expect(() => rtc.setGatheringState('done' as 'new')).toThrow(refused);
  expect(() => rtc.reportCandidateError({ ...ERROR, errorCode: 7 })).toThrow(refused);
  expect(() => rtc.reportCandidateError({ ...ERROR, url: 5 as never })).toThrow(refused);
  expect(() => rtc.removeLocalCandidate({ address: 'nowhere', port: 1, protocol: 'udp' })).toThrow(refused);
  expect(events(rtc)).toEqual([]);
});

it('a connection that is over takes it without a word', () => {
  const rtc = makeRtc();
  rtc.close();
  events(rtc);
  rtc.setGatheringState('gathering');
  rtc.reportCandidateError(ERROR);
  expect(rtc.removeLocalCandidate(PLACE)).toBe(false);
  expect(events(rtc)).toEqual([]);
});
