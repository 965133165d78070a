/** Why: a trace read from the question "why does this connection not open": how far it got, what ended it, what to try. */
import { formatAddress, type TransportAddress } from '../core/address.ts';
import type { Failure } from '../core/errors.ts';
import type { TraceCall, TraceEntry } from '../rtc.ts';
import type { Trace } from '../trace/index.ts';
import { adviceFor, describeFailure, duration, plural, printable } from './words.ts';

/** Candidates that are shown of each side. */
const MAX_SHOWN = 6;
/** Sorts of dropped packets that are shown. */
const MAX_DROPS = 8;
/** The column that says how a step went. */
const MARK_WIDTH = 8;

/** What a trace says of one connection. */
interface Story {
  readonly began: number;
  ended: number;
  localDescription: string | undefined;
  remoteDescription: string | undefined;
  wasStarted: boolean;
  readonly local: string[];
  readonly remote: string[];
  checksSent: number;
  checksAnswered: number;
  checksReceived: number;
  dtlsSent: number;
  dtlsReceived: number;
  handshake: string;
  /** Machines and the states that they have been in. */
  readonly states: Map<string, Set<string>>;
  readonly opened: string[];
  readonly notes: string[];
  readonly drops: Map<string, number>;
  reason: Failure | undefined;
}

/** The answer in lines: the end, how far it got, what else is worth a look. */
export function explainTrace({ entries }: Trace): string {
  const story = storyOf(entries);
  return [...endLines(story), '', 'how far it got', ...stepLines(story), ...noteLines(story), ''].join('\n');
}

function storyOf(entries: readonly TraceEntry[]): Story {
  // Calls before the first input are told at the time 0 of a clock that may be hours old.
  const began = entries.find(({ at }) => at > 0)?.at ?? 0;
  const story: Story = {
    began,
    ended: entries.at(-1)?.at ?? 0,
    localDescription: undefined,
    remoteDescription: undefined,
    wasStarted: false,
    local: [],
    remote: [],
    checksSent: 0,
    checksAnswered: 0,
    checksReceived: 0,
    dtlsSent: 0,
    dtlsReceived: 0,
    handshake: 'not begun',
    states: new Map(),
    opened: [],
    notes: [],
    drops: new Map(),
    reason: undefined,
  };
  for (const entry of entries) read(entry, story);
  return story;
}

function read(entry: TraceEntry, story: Story): void {
  switch (entry.type) {
    case 'call':
      readCall(entry.call, story);
      break;
    case 'transmit':
      if (entry.summary.startsWith('STUN Binding request')) story.checksSent++;
      else if (entry.summary.startsWith('DTLS')) story.dtlsSent++;
      break;
    case 'receive':
      if (entry.summary.startsWith('STUN Binding success')) story.checksAnswered++;
      else if (entry.summary.startsWith('STUN Binding request')) story.checksReceived++;
      else if (entry.summary.startsWith('DTLS')) story.dtlsReceived++;
      break;
    case 'state': {
      const been = story.states.get(entry.machine) ?? new Set();
      story.states.set(entry.machine, been.add(entry.to));
      if (entry.machine === 'dtls.handshake' && entry.to !== 'closed') story.handshake = entry.to;
      break;
    }
    case 'drop':
      story.drops.set(entry.counter, (story.drops.get(entry.counter) ?? 0) + entry.count);
      break;
    case 'event': {
      const { event } = entry;
      const when = `after ${duration(entry.at - story.began)}`;
      if (event.type === 'channelopen' || event.type === 'datachannel')
        story.opened.push(printable(event.channel?.label ?? '', 40));
      else if (event.type === 'warning' && event.failure !== undefined)
        story.notes.push(`warning ${when}: ${printable(describeFailure(event.failure))}`);
      else if (event.type === 'channelerror' && event.failure !== undefined)
        story.notes.push(
          `channel "${printable(event.channel?.label ?? '', 40)}" failed ${when}: ${printable(describeFailure(event.failure))}`,
        );
      else if (event.type === 'icecandidateerror' && event.error !== undefined)
        story.notes.push(
          `${event.error.url} gave no address: ${event.error.errorCode} ${printable(event.error.errorText)}`,
        );
      else if (event.type === 'closed') story.reason = event.failure;
      break;
    }
    default:
  }
}

function readCall(call: TraceCall, story: Story): void {
  switch (call.method) {
    case 'addLocalCandidate':
      story.local.push(describe(call.candidate));
      break;
    case 'addRemoteCandidate': {
      const { candidate } = call;
      if (candidate === null) break;
      if (typeof candidate === 'string') addRemote(candidate, story);
      else if ('candidate' in candidate) addRemote(candidate.candidate ?? '', story);
      else if ('type' in candidate) story.remote.push(describe(candidate));
      break;
    }
    case 'offer':
    case 'commit':
      story.localDescription = call.sdp;
      break;
    case 'apply':
      setRemote(call.offer, story);
      break;
    case 'answer':
    case 'provisionalAnswer':
      story.localDescription = call.sdp;
      setRemote(call.offer, story);
      break;
    case 'accept':
    case 'acceptProvisional':
      setRemote(call.sdp, story);
      break;
    case 'start':
      story.wasStarted = true;
      break;
    default:
  }
}

function describe(
  candidate: TransportAddress & { readonly protocol: string; readonly type: string },
): string {
  return `${candidate.protocol} ${formatAddress(candidate)} (${candidate.type})`;
}

function setRemote(sdp: string, story: Story): void {
  story.remoteDescription = sdp;
  for (const line of sdp.split(/\r?\n/)) if (line.startsWith('a=candidate:')) addRemote(line, story);
}

/** `candidate:… 1 udp 2130706431 192.0.2.2 5000 typ host` */
function addRemote(line: string, story: Story): void {
  const [, , protocol = '', , address = '', port = '', , type = ''] = line.split(' ');
  const text = printable(
    `${protocol.toLowerCase()} ${formatAddress({ address, port: Number(port) })} (${type})`,
    100,
  );
  if (!story.remote.includes(text)) story.remote.push(text);
}

function endLines(story: Story): string[] {
  const { reason, began, ended } = story;
  const advice = evident(story) ?? (reason === undefined ? undefined : adviceFor(reason));
  return [
    reason === undefined
      ? `the trace ends ${duration(ended - began)} after it began; the connection had not ended`
      : `ended: ${printable(describeFailure(reason), 1000)}`,
    ...(advice === undefined ? [] : [`try: ${advice}`]),
  ];
}

/** What the trace shows to be the cause, where the way of the end alone suggests another. */
function evident(story: Story): string | undefined {
  const { states, drops, localDescription, remoteDescription } = story;
  const ice = states.get('ice');
  if (ice?.has('connected') === true || ice?.has('completed') === true || story.checksAnswered > 0)
    return undefined;
  if ((drops.get('ice.foreign-username') ?? 0) > 0)
    return 'Look how your signalling pairs offers and answers: checks arrive from a peer whose description is not the one that was applied here.';
  const isSignalled = story.wasStarted || (localDescription !== undefined && remoteDescription !== undefined);
  if (isSignalled && story.checksSent === 0 && story.checksReceived > 0)
    return 'Drive this end: checks of the other side arrive, and none was sent from here. After each input and call, pollOutput() until it answers "timeout", and give it an input "timeout" when that is due.';
  return undefined;
}

/** What a connection goes through, in its order. */
function stepLines(story: Story): string[] {
  const been = (machine: string, ...states: string[]): boolean =>
    states.some((state) => story.states.get(machine)?.has(state) === true);
  const { localDescription: ours, remoteDescription: theirs, opened } = story;
  const hasPath = been('ice', 'connected', 'completed');
  const isSecured = been('dtls', 'connected');
  const hasData = been('sctp', 'established');
  const steps: [done: boolean, text: string][] = [
    [
      story.wasStarted || (ours !== undefined && theirs !== undefined),
      story.wasStarted
        ? 'signalling: begun without descriptions (start)'
        : `signalling: our description ${ours === undefined ? 'was not made' : 'was made'}, theirs ${theirs === undefined ? 'was never applied' : 'was applied'}`,
    ],
    [story.local.length > 0, `our addresses: ${list(story.local)}`],
    [
      story.remote.length > 0 || story.checksReceived > 0,
      `their addresses: ${list(story.remote)}${story.remote.length === 0 && story.checksReceived > 0 ? ' told; their checks arrive' : ''}`,
    ],
    [
      hasPath,
      `path: ${plural(story.checksSent, 'check')} sent, ${story.checksAnswered} answered; ${plural(story.checksReceived, 'check')} of theirs received`,
    ],
    [
      isSecured,
      `DTLS: ${plural(story.dtlsSent, 'datagram')} sent, ${story.dtlsReceived} received; handshake ${story.handshake}${setups(ours, theirs)}`,
    ],
    [hasData, `SCTP: ${sctpStates(story)}`],
    [opened.length > 0, `channels: ${opened.map((label) => `"${label}"`).join(', ') || 'none open'}`],
  ];
  const firstMissing = steps.findIndex(([done]) => !done);
  return steps.map(
    ([done, text], i) =>
      `  ${(done ? 'done' : i === firstMissing ? 'stopped' : '').padEnd(MARK_WIDTH)} ${text}`,
  );
}

/** `; a=setup ours actpass, theirs active`. */
function setups(ours: string | undefined, theirs: string | undefined): string {
  const setup = (sdp: string | undefined): string =>
    printable(/^a=setup:(.*)$/m.exec(sdp ?? '')?.[1]?.trim() ?? 'none', 20);
  return ours === undefined && theirs === undefined
    ? ''
    : `; a=setup ours ${setup(ours)}, theirs ${setup(theirs)}`;
}

/** `cookie-wait, established`; `not begun` where it was closed without having been anything. */
function sctpStates({ states }: Story): string {
  const been = [...(states.get('sctp') ?? [])];
  return been.every((state) => state === 'closed') ? 'not begun' : been.join(', ');
}

function list(candidates: readonly string[]): string {
  if (candidates.length === 0) return 'none';
  const more = candidates.length > MAX_SHOWN ? [`… and ${candidates.length - MAX_SHOWN} more`] : [];
  return [...candidates.slice(0, MAX_SHOWN), ...more].join(', ');
}

function noteLines({ notes, drops }: Story): string[] {
  const counted = [...drops].sort(([, a], [, b]) => b - a).slice(0, MAX_DROPS);
  const lines = [...notes, ...counted.map(([counter, count]) => `dropped or refused: ${count} × ${counter}`)];
  return lines.length === 0 ? [] : ['', 'worth a look', ...lines.map((line) => `  ${line}`)];
}
