/**
 * The world: two or three peers, what stands between them, and a STUN and TURN server, in the simulator of `sansrtc/sim`.
 *
 * It moves in steps of one virtual millisecond, and whatever is done to it is done between two of them: the same settings and
 * the same actions give the same datagrams, however fast the machine is. `digest()` tells.
 */
import { Endpoint, PerfectNegotiator, SeededRandom, jsCrypto } from 'sansrtc';
import { NAT_KINDS, Network, SimTurnServer } from 'sansrtc/sim';
import { recordRtc } from 'sansrtc/trace';
import { Labels } from './labels.js';
import { Tap } from './tap.js';
import { NAMES } from './settings.js';

const PORT = 5000;
const RELAY = '203.0.113.9';
const USER = { username: 'playground', credential: 'secret' };
/** How long what signalling carries is under way, ms: its server is none of this network's. */
const SIGNALLING = 25;
export const FREEZE = 3000;
/** Bytes of a message of the stream; and what is sent, kbit/s of each peer to each other one. */
const MESSAGE = 1000;
const TRAFFIC = { off: 0, light: 64, heavy: 1000, full: Infinity };
/** A channel is kept filled up to this, bytes. */
const HIGH_WATER = 64 * 1024;
/** Entries that each recording keeps. */
const RECORDED = 100_000;
/** Datagrams, after which a run ends: the network remembers each. */
export const MAX_DATAGRAMS = 250_000;
/** Lines of the journal. */
const JOURNAL = 200;

export class World {
  settings;
  peers = [];
  connections = [];
  /** What happened, for people: `{ at, text, kind }`, the latest last. */
  journal = [];
  /** What signalling carries: `{ from, to, sentAt, arrivals, label }`. */
  signals = [];
  traffic = 'off';
  isReliable = true;
  isCut = false;
  #net;
  #labels = new Labels();
  #crypto = this.#labels.listening(jsCrypto());
  #conditions;
  #relayHost;
  #moves = 0;
  /** Whose an address is, or was: by name. */
  #owners = new Map([[RELAY, 'relay']]);

  constructor(settings) {
    this.settings = settings;
    this.#conditions = conditionsOf(settings);
    this.#net = new Network({
      seed: settings.seed,
      defaults: this.#conditions,
      record: { events: false },
      invariants: false,
    });
    this.#relayHost = this.#net.host(RELAY, { name: 'relay' });
    const server = new SimTurnServer({ address: RELAY, users: { [USER.username]: USER.credential } });
    this.#relayHost.attach(new Tap(server, this.#labels), { name: 'relay' });
    for (let i = 0; i < settings.peers; i++) this.peers.push(this.#makePeer(i));
    for (const a of this.peers) for (const b of this.peers) if (a.index < b.index) this.#connect(a, b);
  }

  get now() {
    return this.#net.now;
  }

  /** Every datagram so far, in the order of sending; `label(i)` says what the i-th is. */
  get datagrams() {
    return this.#net.datagrams;
  }

  /** Who is meant to get a datagram, by name. */
  receiverOf({ destination }) {
    return this.#owners.get(destination.address);
  }

  label(index) {
    return this.#labels.of(index);
  }

  get isFull() {
    return this.#net.datagrams.length >= MAX_DATAGRAMS;
  }

  digest() {
    return this.#net.digest();
  }

  counts() {
    return this.#net.counts;
  }

  /** One virtual millisecond. */
  step() {
    if (this.traffic !== 'off') for (const connection of this.connections) this.#pump(connection);
    this.#net.advance(1);
  }

  /** Does what a visitor, or a link, asks for. */
  act({ kind, args }) {
    const [first, second] = args;
    switch (kind) {
      case 'set':
        this.settings = { ...this.settings, [first]: second };
        this.#setConditions();
        break;
      case 'cut':
        this.isCut = true;
        for (const peer of this.peers) this.#net.partition([peer.host]);
        this.#note('Path cut: every datagram is lost from now on', 'bad');
        break;
      case 'heal':
        this.isCut = false;
        this.#net.heal();
        this.#note('Path restored', 'good');
        break;
      case 'freeze':
        this.peers[first].host.freeze(FREEZE);
        this.#note(`${this.peers[first].name} is frozen for ${FREEZE / 1000} s`, 'bad');
        break;
      case 'move':
        this.#move(this.peers[first]);
        break;
      case 'rebind':
        this.peers[first].nat?.reset();
        this.#note(`${this.peers[first].name}'s NAT has forgotten every mapping`, 'bad');
        break;
      case 'restart':
        for (const end of this.endsOf(this.peers[first])) this.#restart(end);
        this.#note(`${this.peers[first].name} restarts ICE`);
        break;
      case 'say':
        this.#say(this.peers[first], second);
        break;
      case 'traffic':
        this.traffic = first;
        this.#note(first === 'off' ? 'Stream stopped' : `Stream started: ${first}`);
        break;
      case 'unreliable':
        this.isReliable = first === 'no';
        break;
    }
  }

  isFrozen(peer) {
    return this.now < peer.host.frozenUntil;
  }

  /** One end of each connection of a peer's, with its `Rtc`, the other peer, channels and what it has received. */
  endsOf(peer) {
    return this.connections.flatMap(({ ends }) => ends.filter((end) => end.peer === peer));
  }

  #makePeer(index) {
    const { nats } = this.settings;
    const kind = nats[index];
    const name = NAMES[index];
    const nat =
      kind === 'none'
        ? undefined
        : this.#net.nat(`198.51.100.${index + 1}`, { name: `${name}'s NAT`, ...NAT_KINDS[kind] });
    const address = nat === undefined ? `192.0.2.${index + 1}` : `10.0.${index + 1}.2`;
    const host = this.#net.host(address, { name, behind: nat });
    this.#owners.set(address, name);
    if (nat !== undefined) this.#owners.set(nat.address, name);
    // Nothing in a world is random but by its seed.
    const endpoint = new Endpoint({
      gathering: { random: new SeededRandom(this.settings.seed).split(name) },
    });
    endpoint.addSocket({ protocol: 'udp', address, port: PORT });
    const peer = { index, name, host, nat, address, endpoint };
    const owns = (own) => host.interface(own) !== undefined;
    host.attach(new Tap(endpoint, this.#labels, owns), {
      name,
      port: PORT,
      closedEvent: false,
      onEvent: ({ rtc, event }) =>
        this.endsOf(peer)
          .find((end) => end.rtc === rtc)
          ?.onEvent(event),
    });
    return peer;
  }

  #connect(a, b) {
    const connection = { name: `${a.name} – ${b.name}`, ends: [] };
    connection.ends.push(this.#makeEnd(connection, a, b), this.#makeEnd(connection, b, a));
    this.connections.push(connection);
    for (const { peer, rtc } of connection.ends) {
      peer.endpoint.add(rtc);
      this.#announce(peer, rtc);
    }
    const [offering] = connection.ends;
    const { draft } = offering.negotiator;
    offering.channels.chat = draft.addChannel('chat');
    offering.channels.stream = draft.addChannel('stream');
    offering.channels.datagrams = draft.addChannel('datagrams', { ordered: false, maxRetransmits: 0 });
    offering.negotiator.negotiate();
    this.#signal(offering);
  }

  #makeEnd(connection, peer, other) {
    const seed = this.settings.seed * 16 + peer.index * 4 + other.index;
    const { rtc, recorder } = recordRtc({ seed, maxEntries: RECORDED, crypto: this.#crypto });
    // Recording looks at the whole connection after each datagram: it costs more than the rest, so it is for those who ask.
    if (!this.settings.record) rtc.setTrace(undefined);
    const negotiator = new PerfectNegotiator(rtc, { polite: peer.index > other.index });
    const end = {
      connection,
      peer,
      other,
      rtc,
      recorder,
      negotiator,
      channels: {},
      received: 0,
      state: 'new',
      owed: 0,
    };
    end.onEvent = (event) => this.#hear(end, event);
    return end;
  }

  #hear(end, event) {
    const who = `${end.peer.name} → ${end.other.name}`;
    end.negotiator.handleEvent(event);
    switch (event.type) {
      case 'datachannel':
        end.channels[event.channel.label] = event.channel;
        break;
      case 'channelopen':
        end.channels[event.channel.label] ??= event.channel;
        break;
      case 'message':
        end.received += event.data.length;
        if (event.channel.label === 'chat')
          this.#note(`${end.peer.name} hears from ${end.other.name}: “${event.data}”`, 'message');
        break;
      case 'connectionstatechange':
        end.state = event.state;
        if (end.peer.index < end.other.index || event.state !== 'connected')
          this.#note(
            `${who}: ${event.state}`,
            event.state === 'connected' ? 'good' : event.state === 'connecting' ? '' : 'bad',
          );
        break;
      case 'warning':
        this.#note(`${who}: warning, ${event.failure.message}`, 'bad');
        break;
      case 'closed':
        end.reason = event.reason;
        this.#note(`${who}: closed, ${event.reason.message} (${event.reason.code})`, 'bad');
        break;
    }
    this.#signal(end);
  }

  /** Tells the peer what signalling has to say, a while later. */
  #signal(end) {
    const [a, b] = end.connection.ends;
    const other = end === a ? b : a;
    const { negotiator } = end;
    for (let signal = negotiator.pollSignal(); signal !== undefined; signal = negotiator.pollSignal()) {
      const told = signal;
      const arrivesAt = this.now + SIGNALLING;
      this.signals.push({
        from: end.peer.name,
        to: other.peer.name,
        sentAt: this.now,
        arrivals: [arrivesAt],
        label: signalLabel(told),
      });
      this.#net.at(arrivesAt, () => {
        if (other.reason !== undefined) return;
        other.negotiator.handleSignal(told);
        this.#signal(other);
      });
    }
  }

  /** The peer's own address, and what its STUN and TURN server says of it. */
  #announce(peer, rtc) {
    rtc.addLocalCandidate({ type: 'host', protocol: 'udp', address: peer.address, port: PORT });
    peer.endpoint.gather(rtc, { iceServers: [{ urls: `turn:${RELAY}`, ...USER }] });
  }

  /** Another network: the old address is gone, there is a new one, and ICE restarts. */
  #move(peer) {
    this.#moves++;
    const before = peer.address;
    peer.host.interface(before).down();
    peer.endpoint.removeSocket({ protocol: 'udp', address: before, port: PORT });
    peer.address =
      peer.nat === undefined ? `192.0.2.${100 + this.#moves}` : `10.0.${peer.index + 1}.${100 + this.#moves}`;
    peer.host.addAddress(peer.address);
    this.#owners.set(peer.address, peer.name);
    peer.endpoint.addSocket({ protocol: 'udp', address: peer.address, port: PORT });
    this.#note(
      `${peer.name} changes network: ${before} is gone, ${peer.address} is new; ICE restarts`,
      'bad',
    );
    if (this.isCut) this.#net.partition([peer.host]);
    for (const end of this.endsOf(peer)) {
      if (end.reason !== undefined) continue;
      this.#announce(peer, end.rtc);
      this.#restart(end);
    }
  }

  #restart(end) {
    if (end.reason !== undefined) return;
    end.rtc.restartIce();
    end.negotiator.negotiate();
    this.#signal(end);
  }

  #say(peer, text) {
    for (const { channels } of this.endsOf(peer))
      if (channels.chat?.readyState === 'open') channels.chat.send(text);
    this.#note(`${peer.name} says: “${text}”`, 'message');
  }

  /** The stream: each end sends what the rate lets it, and no more than the channel takes. */
  #pump({ ends }) {
    for (const end of ends) {
      const channel = this.isReliable ? end.channels.stream : end.channels.datagrams;
      if (channel?.readyState !== 'open' || this.isFrozen(end.peer)) continue;
      const rate = TRAFFIC[this.traffic];
      end.owed = Math.min(end.owed + rate / 8, HIGH_WATER);
      while (end.owed >= MESSAGE && channel.bufferedAmount < HIGH_WATER) {
        if (!channel.send(new Uint8Array(MESSAGE))) break;
        end.owed -= MESSAGE;
      }
    }
  }

  #setConditions() {
    this.#conditions = conditionsOf(this.settings);
    const hosts = [...this.peers.map(({ host }) => host), this.#relayHost];
    for (const [i, a] of hosts.entries())
      for (const b of hosts.slice(i + 1)) this.#net.link(a, b, this.#conditions);
  }

  #note(text, kind = '') {
    this.journal.push({ at: this.now, text, kind });
    if (this.journal.length > JOURNAL) this.journal.shift();
  }
}

function conditionsOf({ latency, jitter, loss, rate }) {
  return {
    latency,
    jitter,
    loss: loss / 100,
    rate: rate === 0 ? Infinity : rate * 1000,
    // A quarter of a second of a slow link, and never less than a few datagrams.
    queueLimit: rate === 0 ? 1_000_000 : Math.max(16_000, (rate * 1000) / 8 / 4),
  };
}

function signalLabel(signal) {
  if ('description' in signal) return `signalling: ${signal.description.type}`;
  return signal.candidate === null ? 'signalling: no more candidates' : 'signalling: candidate';
}
