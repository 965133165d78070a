/**
 * What is searched: connecting, opening a channel, 64 KiB, restarting ICE, closing; and what must come of it.
 *
 *   any one fault        the goal is reached all the same
 *   cut from here on     both ends end by themselves, one of them at least by a gate that it names
 *   in any case          neither end has said anything that the other one must drop
 */
import type { Media } from '../../src/index.ts';
import type { CutFault, CutOptions, CutReport, CutScenario, CutStage, Outcome } from '../../src/sim/index.ts';
import { cutAnywhere } from '../../src/sim/index.ts';
import { nonsenseHeard } from './blame.ts';
import type { Cast, Materials, Stage, StageEnd } from './stage.ts';
import { closedBy, hasClosed, isOpen, setOpenStage, setStage } from './stage.ts';

interface GoalStage extends Stage, CutStage {
  readonly ends: Stage['ends'];
  /** What is still missing of the goal; `undefined` once it is reached. */
  readonly missing: () => string | undefined;
}

export interface Search {
  readonly name: string;
  readonly run: (options: Pick<CutOptions<GoalStage>, 'seed' | 'sample'>) => CutReport;
}

/** Every search, for one crypto provider. */
export function searches(crypto: Materials): Search[] {
  const found: Search[] = [];
  for (const offerer of ['rtc', 'endpoint'] as const) {
    for (const dtlsClient of ['offerer', 'answerer'] as const)
      found.push(connect({ crypto, offerer, dtlsClient }));
  }
  const cast: Cast = { crypto, offerer: 'rtc', dtlsClient: 'answerer' };
  for (const end of ['offerer', 'answerer'] as const) {
    found.push(
      openChannel(cast, end),
      transfer(cast, end),
      restartIce(cast, end),
      dataAgain(cast, end),
      closeChannel(cast, end),
      closeConnection(cast, end),
      mediaBesideData(cast, end),
      closeWithMedia(cast, end),
    );
  }
  return found;
}

function connect(cast: Cast): Search {
  const { crypto, offerer, dtlsClient } = cast;
  const name = `connect, ${crypto.name} crypto, offered by the ${offerer}, DTLS client is the ${dtlsClient}`;
  const build = (seed: number): GoalStage =>
    withGoal(setStage(seed, cast), (stage) =>
      isOpen(stage, 'chat') ? undefined : 'the channel is not open',
    );
  return search({ name, build }, (stage, fault) => {
    // Plaintext of the handshake is only found to be wrong at its end: then the handshake fails, with a word.
    const { offerer: a, answerer: b } = stage;
    const isDenied = closedBy(a)?.layer === 'dtls' && closedBy(b)?.layer === 'dtls';
    return fault === 'corrupt' && isDenied ? { wrong: undefined } : undefined;
  });
}

function openChannel(cast: Cast, end: Actor): Search {
  const name = `open a channel, ${cast.crypto.name} crypto, by the ${end}`;
  const build = (seed: number): GoalStage => {
    const stage = setOpenStage(seed, cast);
    const ends = [stage.offerer, stage.answerer];
    for (const { greets } of ends) greets.add('more');
    stage[end].rtc.createChannel('more', { ordered: false, protocol: 'a-protocol' });
    return withGoal(stage, () => {
      if (!isOpen(stage, 'more')) return 'the channel is not open';
      const isGreeted = ends.every(({ messages }) => messages.get('more')?.[0] === 'hello');
      return isGreeted ? undefined : 'an end has not been greeted on it';
    });
  };
  return search({ name, build });
}

/** Sixteen messages of 4 KiB, each filled with its number. */
const MESSAGES = Array.from({ length: 16 }, (_, i) => new Uint8Array(4096).fill(i + 1));

function transfer(cast: Cast, end: Actor): Search {
  const name = `64 KiB, ${cast.crypto.name} crypto, from the ${end}`;
  const build = (seed: number): GoalStage => {
    const stage = setOpenStage(seed, cast);
    for (const message of MESSAGES) stage[end].channels.get('chat')?.send(message);
    const received = (): number => stage[other(end)].messages.get('chat')?.length ?? 0;
    return withGoal(stage, () => {
      const missing = MESSAGES.length - received();
      return missing === 0 ? undefined : `${missing} messages are missing`;
    });
  };
  return search({ name, build }, (stage) => {
    const received = stage[other(end)].messages.get('chat') ?? [];
    const wrong = received.findIndex((message, i) => !isSame(message, MESSAGES[i]));
    return wrong === -1 ? undefined : { wrong: `message ${wrong} is not the one that was sent` };
  });
}

/** Both ends have a new pair, and what is sent meanwhile arrives. */
function restartIce(cast: Cast, end: Actor): Search {
  const name = `restart ICE, ${cast.crypto.name} crypto, by the ${end}`;
  const build = (seed: number): GoalStage => {
    const stage = setOpenStage(seed, cast);
    const ends = [stage.offerer, stage.answerer];
    const fragments = ends.map(({ rtc }) => rtc.localParameters.ice.usernameFragment);
    stage[end].rtc.restartIce();
    const offer = stage[end].rtc.negotiation().offer();
    offer.accept(stage[other(end)].rtc.receiveOffer(offer.sdp).answer());
    for (const { channels } of ends) channels.get('chat')?.send('meanwhile');
    return withGoal(stage, () => {
      if (!ends.every(({ messages }) => messages.get('chat')?.at(-1) === 'meanwhile'))
        return 'a message did not arrive';
      const isReplaced = ends.every(({ rtc }, i) => {
        const { previous, selectedPair } = rtc.inspect().ice;
        return (
          selectedPair !== undefined &&
          previous === undefined &&
          !rtc.usernameFragments.includes(fragments[i]!)
        );
      });
      return isReplaced ? undefined : 'an end has not replaced its pair';
    });
  };
  return search({ name, build });
}

/** Milliseconds that signalling takes: a round trip and more. */
const SIGNALLING = 30;

/**
 * Data is rejected, then agreed on again. Whoever answers carries it out at once, the end that has offered when signalling has brought
 * the answer; meanwhile it sends on, and INITs come too early. A channel of the new association works, and nothing of the old one comes
 * out of it.
 */
function dataAgain(cast: Cast, end: Actor): Search {
  const name = `reject data and agree on it again, ${cast.crypto.name} crypto, offered by the ${end}`;
  const build = (seed: number): GoalStage => {
    const stage = setOpenStage(seed, cast);
    const [offers, answers] = [stage[end], stage[other(end)]];
    const ends = [offers, answers];
    for (const { channels } of ends) channels.get('chat')?.send('of old');
    for (const { greets } of ends) greets.add('again');
    answers.rtc.closeData();
    stage.net.after(SIGNALLING / 2, () => void offers.channels.get('chat')?.send('too late'));
    stage.net.after(SIGNALLING, () => {
      offers.rtc.closeData();
      offers.rtc.createChannel('again');
    });
    stage.net.after(2 * SIGNALLING, () => {
      answers.rtc.openData();
    });
    stage.net.after(3 * SIGNALLING, () => {
      offers.rtc.openData();
    });
    return withGoal(stage, () => {
      const isGreeted = ends.every(({ messages }) => messages.get('again')?.[0] === 'hello');
      return isGreeted ? undefined : 'an end has not been greeted on the new channel';
    });
  };
  return search({ name, build }, (stage) => {
    const isMixed = [stage.offerer, stage.answerer].some(({ messages }) =>
      messages.get('again')?.some((message) => message !== 'hello'),
    );
    return isMixed ? { wrong: 'something else has come on the new channel' } : undefined;
  });
}

function closeChannel(cast: Cast, end: Actor): Search {
  const name = `close a channel, ${cast.crypto.name} crypto, by the ${end}`;
  const build = (seed: number): GoalStage => {
    const stage = setOpenStage(seed, cast);
    const chat = stage[end].channels.get('chat');
    chat?.send('the last word');
    chat?.close();
    const closed = (from: StageEnd): boolean => from.events.some(({ type }) => type === 'channelclose');
    return withGoal(stage, () => {
      if (stage[other(end)].messages.get('chat')?.[0] !== 'the last word')
        return 'the last word did not arrive';
      return closed(stage.offerer) && closed(stage.answerer)
        ? undefined
        : 'an end has not closed the channel';
    });
  };
  return search({ name, build });
}

function closeConnection(cast: Cast, end: Actor): Search {
  const name = `close the connection, ${cast.crypto.name} crypto, by the ${end}`;
  const build = (seed: number): GoalStage => {
    const stage = setOpenStage(seed, cast);
    stage[end].rtc.close();
    return withGoal(stage, () => {
      if (closedBy(stage[end])?.code !== 'local-close') return 'the end that closed has not closed';
      const left = closedBy(stage[other(end)]);
      return left?.code === 'remote-close' || left?.gate !== undefined
        ? undefined
        : 'the other end has not closed';
    });
  };
  return search({ name, build }, (stage) => ({ wrong: stage.missing() }));
}

/** Packets of audio and of video, each. */
const PACKETS = 10;

/** Writes packets of all media, one each 20 ms. */
function publish(stage: Stage, { rtc }: StageEnd): void {
  for (let count = 0; count < PACKETS; count++) {
    stage.net.after(20 * count, () => {
      for (const media of rtc.media) {
        media.sender()?.write({ payload: new Uint8Array(300).fill(count), timestamp: 1800 * count });
      }
    });
  }
}

/** Both ends hear the media of the other one, and what an end says beside. */
function mediaBesideData(cast: Cast, end: Actor): Search {
  const name = `media beside data, ${cast.crypto.name} crypto, said by the ${end}`;
  const build = (seed: number): GoalStage => {
    const stage = setOpenStage(seed, { ...cast, hasMedia: true });
    const ends = [stage.offerer, stage.answerer];
    for (const one of ends) publish(stage, one);
    for (const message of MESSAGES) stage[end].channels.get('chat')?.send(message);
    const heard = ({ events }: StageEnd): number => events.filter(({ type }) => type === 'rtp').length;
    return withGoal(stage, () => {
      // One fault takes one packet of audio, or those that are in one way of it; video is asked for again.
      if (!ends.every((one) => heard(one) >= 2 * PACKETS - 2)) return 'an end has not heard the media';
      const missing = MESSAGES.length - (stage[other(end)].messages.get('chat')?.length ?? 0);
      return missing === 0 ? undefined : `${missing} messages are missing`;
    });
  };
  return search({ name, build });
}

/** Closed in the middle of media: nothing of it is left. */
function closeWithMedia(cast: Cast, end: Actor): Search {
  const name = `close with media in flight, ${cast.crypto.name} crypto, by the ${end}`;
  const build = (seed: number): GoalStage => {
    const stage = setOpenStage(seed, { ...cast, hasMedia: true });
    for (const one of [stage.offerer, stage.answerer]) publish(stage, one);
    stage.net.after(70, () => {
      stage[end].rtc.close();
    });
    return withGoal(stage, () => {
      if (closedBy(stage[end])?.code !== 'local-close') return 'the end that closed has not closed';
      return hasClosed(stage[other(end)]) ? undefined : 'the other end has not closed';
    });
  };
  return search({ name, build }, (stage) => {
    const left = [stage.offerer, stage.answerer].filter(
      ({ rtc }) => !rtc.isEmpty || rtc.media.some(isWritable),
    );
    return { wrong: stage.missing() ?? (left.length === 0 ? undefined : 'something of it is left') };
  });
}

function isWritable(media: Media): boolean {
  return media.sender()?.isWritable === true;
}

type Actor = 'offerer' | 'answerer';

function other(end: Actor): Actor {
  return end === 'offerer' ? 'answerer' : 'offerer';
}

/** @param judge asked first; what it has no verdict on, the rule for its kind of fault decides. */
function search(
  scenario: CutScenario<GoalStage>,
  judge: (stage: GoalStage, fault: CutFault | 'none') => Verdict | undefined = () => undefined,
): Search {
  const outcome: CutOptions<GoalStage>['outcome'] = (stage, fault, run) => {
    const verdict = judge(stage, fault);
    const wrong = verdict === undefined ? judgeGoal(stage, fault, run) : verdict.wrong;
    return wrong ?? nonsenseHeard(stage.offerer.rtc) ?? nonsenseHeard(stage.answerer.rtc);
  };
  return { name: scenario.name, run: (options) => cutAnywhere(scenario, { ...options, outcome }) };
}

interface Verdict {
  readonly wrong: string | undefined;
}

function judgeGoal(stage: GoalStage, fault: CutFault | 'none', run: Outcome): string | undefined {
  const missing = stage.missing();
  if (missing === undefined) return undefined;
  const endings = [stage.offerer, stage.answerer].map(closedBy);
  const codes = endings.map((ending) => ending?.code ?? 'none').join(' and ');
  const report = `${missing} after ${run.elapsed} ms (${run.reason}; closed by ${codes})`;
  if (fault !== 'cut') return report;
  const isOver = endings.every((ending) => ending !== undefined);
  return isOver && endings.some(({ gate }) => gate !== undefined) ? undefined : report;
}

function withGoal(stage: Stage, missing: (stage: Stage) => string | undefined): GoalStage {
  const isOver = (): boolean => hasClosed(stage.offerer) && hasClosed(stage.answerer);
  return { ...stage, missing: () => missing(stage), isDone: () => missing(stage) === undefined || isOver() };
}

function isSame(message: string | Uint8Array, sent: Uint8Array | undefined): boolean {
  return typeof message !== 'string' && sent !== undefined && Buffer.compare(message, sent) === 0;
}
