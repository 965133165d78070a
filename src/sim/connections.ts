/**
 * Connections: TCP between the hosts of a network as its users see it: opened or refused, bytes in order, an end. Segments travel over the
 * same links and NATs as datagrams; one that a link loses is sent again after a while, and what is behind it waits.
 *
 *   openstream ─▶ syn … syn-ack ─▶ (tls-hello, tls-done) ─▶ streamopened        a stream of bytes, of `HostRequest`s; its
 *                  └▶ streamaccepted at the machine that has the port            other end is told of a stream, too
 *   a transmit over TCP ─▶ the same, once for each pair of addresses             frames (RFC 4571): datagrams for the machines
 *
 * Both may open at once (RFC 9293 §3.5): the connection is one. One that cannot be opened, or whose oldest segment has not come
 * through for `GIVE_UP` milliseconds, is closed at both ends.
 */
import type { TransportAddress } from '../core/address.ts';
import { formatAddress } from '../core/address.ts';
import type { Bytes } from '../core/bytes.ts';
import type { HostRequest } from '../core/host.ts';
import { BoundedQueue } from '../core/queue.ts';
import type { NetworkInterface, Runner } from './host.ts';
import type { DatagramLog, OpenRecord } from './log.ts';
import type { SimInput, SimTransmit } from './machine.ts';
import type { Wire } from './wire.ts';

/** Requests about streams. */
export type StreamRequest = Exclude<HostRequest, { type: 'resolve' }>;

/** What happens at the time it is planned for. */
export type PlanCall = (at: number, action: (now: number) => void) => void;

/** Milliseconds until a lost segment is sent again: doubled each time, up to `SLOWEST`. */
const FIRST_RETRY = 200;
const SLOWEST = 3_000;
const GIVE_UP = 20_000;

/** IP and TCP headers, bytes. */
const HEADERS = 40;

/** Ports that streams leave from, and numbers of streams that were accepted. */
const FIRST_EPHEMERAL_PORT = 49_152;
const FIRST_ACCEPTED_STREAM = 2 ** 31;

type SegmentKind = 'syn' | 'syn-ack' | 'tls-hello' | 'tls-done' | 'data' | 'fin';

interface Segment {
  readonly kind: SegmentKind;
  readonly data: Bytes;
  readonly record: OpenRecord | undefined;
  /** When it was sent first. */
  readonly since: number;
}

interface End {
  readonly runner: Runner;
  readonly at: NetworkInterface;
  /** Its own address, and the other one's as this end sees it. */
  readonly local: TransportAddress;
  readonly remote: TransportAddress;
  /** The number by which its machine knows the stream; `undefined` for frames. */
  readonly stream: number | undefined;
  readonly queue: BoundedQueue<Segment>;
  retry: number;
  /** A lost segment waits to be sent again. */
  stalled: boolean;
  lastArrival: number;
}

interface Connection {
  readonly protocol: 'tcp' | 'tls';
  readonly client: End;
  server: End | undefined;
  state: 'connecting' | 'open' | 'closed';
}

const NOTHING: Bytes = new Uint8Array(0);

/** Every connection of one network. */
export class Connections {
  readonly #wire: Wire;
  readonly #log: DatagramLog;
  readonly #plan: PlanCall;
  /** Of each machine: by the number of a stream, or by both addresses of what carries frames. */
  readonly #byRunner = new Map<Runner, Map<number | string, Connection>>();
  #nextPort = FIRST_EPHEMERAL_PORT;
  #nextAccepted = FIRST_ACCEPTED_STREAM;

  constructor(wire: Wire, log: DatagramLog, plan: PlanCall) {
    this.#wire = wire;
    this.#log = log;
    this.#plan = plan;
  }

  /** A machine sends a frame: over the connection of its two addresses, which is opened if there is none. */
  transmit(runner: Runner, from: NetworkInterface, transmit: SimTransmit, now: number): void {
    const { source, destination, data } = transmit;
    const record = this.#log.sent(runner.name, transmit, now);
    this.#log.departed();
    const key = pathKey(source, destination);
    let connection = this.#of(runner).get(key);
    if (connection === undefined) {
      connection = this.#open(runner, key, 'tcp', endOf(runner, from, source, destination, undefined), now);
    }
    this.#send(connection, runner, { kind: 'data', data, record, since: now }, now);
  }

  /** A machine asks for a stream, or something of one. */
  request(runner: Runner, request: StreamRequest, now: number): void {
    if (request.type === 'openstream') {
      this.#openStream(runner, request, now);
      return;
    }
    const connection = this.#of(runner).get(request.stream);
    if (connection === undefined) return;
    if (request.type === 'writestream') {
      this.#send(
        connection,
        runner,
        { kind: 'data', data: request.data, record: undefined, since: now },
        now,
      );
    } else {
      this.#send(connection, runner, { kind: 'fin', data: NOTHING, record: undefined, since: now }, now);
      this.#of(runner).delete(request.stream);
    }
  }

  /** A machine is gone: its connections are reset. */
  gone(runner: Runner, now: number): void {
    for (const connection of this.#of(runner).values()) this.#close(connection, 'the other end is gone', now);
    this.#byRunner.delete(runner);
  }

  #openStream(runner: Runner, request: Extract<StreamRequest, { type: 'openstream' }>, now: number): void {
    const { stream, protocol, destination, sourceAddress } = request;
    const family = destination.address.includes(':') ? 6 : 4;
    const from = runner.host.interfaces.find(
      (one) => one.family === family && (sourceAddress === undefined || one.address === sourceAddress),
    );
    if (from === undefined) {
      runner.tell({ type: 'streamclosed', now, stream, reason: 'no route' });
      return;
    }
    const local = { address: from.address, port: this.#nextPort++ };
    this.#open(runner, stream, protocol, endOf(runner, from, local, destination, stream), now);
  }

  #open(runner: Runner, key: number | string, protocol: 'tcp' | 'tls', client: End, now: number): Connection {
    const connection: Connection = { protocol, client, server: undefined, state: 'connecting' };
    this.#of(runner).set(key, connection);
    this.#synchronize(connection, now, FIRST_RETRY, now);
    return connection;
  }

  /** The first segment finds the way, and whoever has the port. */
  #synchronize(connection: Connection, since: number, retry: number, now: number): void {
    if (connection.state !== 'connecting' || connection.server !== undefined) return;
    const { client } = connection;
    if (now - since > GIVE_UP) {
      this.#close(connection, 'nobody answers', now);
      return;
    }
    const again = (): void => {
      this.#plan(now + retry, (at) => {
        this.#synchronize(connection, since, Math.min(retry * 2, SLOWEST), at);
      });
    };
    const route = this.#wire.leave(client.at, client.local, client.remote, 'tcp', now);
    if (typeof route === 'string') {
      again();
      return;
    }
    const link = this.#wire.link(client.at, this.#wire.ownerOf(route.end, client.remote.port, now));
    const verdict = link.carry(now, HEADERS);
    if (verdict.loss !== undefined) {
      again();
      return;
    }
    this.#plan(verdict.arrival, (at) => {
      const target = this.#wire.enter(route, client.remote.port, at);
      if (typeof target === 'string') again();
      else this.#accept(connection, target.at, target.inside, route.source, at);
    });
    // A segment that a NAT drops is not answered, and sent again.
  }

  #accept(
    connection: Connection,
    at: NetworkInterface,
    local: TransportAddress,
    remote: TransportAddress,
    now: number,
  ): void {
    if (connection.state !== 'connecting' || connection.server !== undefined) return;
    const runner = at.host.listener(local.port);
    if (runner === undefined) {
      this.#close(connection, 'refused', now);
      return;
    }
    const isStream = connection.client.stream !== undefined;
    const stream = isStream ? this.#nextAccepted++ : undefined;
    const key = stream ?? pathKey(local, remote);
    const mirrored = this.#of(runner).get(key);
    const server = endOf(runner, at, local, remote, stream);
    connection.server = server;
    this.#of(runner).set(key, connection);
    if (mirrored?.state === 'connecting') {
      // Both have opened it: what waits to be sent over theirs goes over this one.
      mirrored.state = 'closed';
      const { queue } = mirrored.client;
      for (let segment = queue.shift(); segment !== undefined; segment = queue.shift())
        server.queue.push(segment);
    }
    if (stream !== undefined)
      runner.tell({ type: 'streamaccepted', now, stream, source: remote, destination: local });
    this.#send(
      connection,
      runner,
      { kind: 'syn-ack', data: NOTHING, record: undefined, since: now },
      now,
      'first',
    );
  }

  #send(connection: Connection, runner: Runner, segment: Segment, now: number, place?: 'first'): void {
    const end = connection.server?.runner === runner ? connection.server : connection.client;
    if (connection.state === 'closed') {
      this.#lose(segment);
      return;
    }
    if (place === 'first') {
      const waiting: Segment[] = [];
      for (let next = end.queue.shift(); next !== undefined; next = end.queue.shift()) waiting.push(next);
      end.queue.push(segment);
      for (const next of waiting) end.queue.push(next);
    } else {
      end.queue.push(segment);
    }
    this.#pump(connection, end, now);
  }

  /** Sends what may be sent: everything, until a segment is lost. */
  #pump(connection: Connection, end: End, now: number): void {
    const other = end === connection.client ? connection.server : connection.client;
    if (other === undefined || end.stalled) return;
    for (let segment = end.queue.peek(); segment !== undefined; segment = end.queue.peek()) {
      // Until it is open, the handshakes alone go.
      if (connection.state === 'connecting' && (segment.kind === 'data' || segment.kind === 'fin')) return;
      const isUp = end.at.isUp && other.at.isUp;
      const verdict = this.#wire.link(end.at, other.at).carry(now, segment.data.length + HEADERS);
      if (!isUp || verdict.loss !== undefined) {
        this.#stall(connection, end, segment, now);
        return;
      }
      end.queue.shift();
      end.retry = FIRST_RETRY;
      const arrival = Math.max(verdict.arrival, end.lastArrival);
      end.lastArrival = arrival;
      const arriving = segment;
      this.#plan(arrival, (at) => {
        this.#arrive(connection, other, arriving, at);
      });
    }
  }

  #stall(connection: Connection, end: End, segment: Segment, now: number): void {
    if (now - segment.since > GIVE_UP) {
      this.#close(connection, 'the other end does not answer', now);
      return;
    }
    end.stalled = true;
    this.#plan(now + end.retry, (at) => {
      end.stalled = false;
      if (connection.state !== 'closed') this.#pump(connection, end, at);
    });
    end.retry = Math.min(end.retry * 2, SLOWEST);
  }

  #arrive(connection: Connection, end: End, { kind, data, record }: Segment, now: number): void {
    if (connection.state === 'closed') {
      if (record !== undefined) this.#log.lost(record, 'no-listener');
      return;
    }
    const answer = (answered: SegmentKind): void => {
      const segment = { kind: answered, data: NOTHING, record: undefined, since: now };
      this.#send(connection, end.runner, segment, now, 'first');
    };
    switch (kind) {
      case 'syn':
        return;
      case 'syn-ack':
        if (connection.protocol === 'tls') answer('tls-hello');
        else this.#opened(connection, now);
        return;
      case 'tls-hello':
        answer('tls-done');
        return;
      case 'tls-done':
        this.#opened(connection, now);
        return;
      case 'fin':
        this.#close(connection, 'closed by the other end', now);
        return;
      case 'data':
        if (record !== undefined) this.#log.delivered(record, end.runner.name, now);
        end.runner.tell(inputOf(end, data, now));
        return;
    }
  }

  #opened(connection: Connection, now: number): void {
    connection.state = 'open';
    const { client, server } = connection;
    if (client.stream !== undefined)
      client.runner.tell({ type: 'streamopened', now, stream: client.stream, source: client.local });
    this.#pump(connection, client, now);
    if (server !== undefined) this.#pump(connection, server, now);
  }

  #close(connection: Connection, reason: string, now: number): void {
    if (connection.state === 'closed') return;
    connection.state = 'closed';
    for (const end of [connection.client, connection.server]) {
      if (end === undefined) continue;
      for (let segment = end.queue.shift(); segment !== undefined; segment = end.queue.shift())
        this.#lose(segment);
      const key = end.stream ?? pathKey(end.local, end.remote);
      const known = this.#of(end.runner);
      if (known.get(key) !== connection) continue;
      known.delete(key);
      if (end.stream !== undefined)
        end.runner.tell({ type: 'streamclosed', now, stream: end.stream, reason });
    }
  }

  #lose({ record }: Segment): void {
    if (record !== undefined) this.#log.lost(record, 'no-listener');
  }

  #of(runner: Runner): Map<number | string, Connection> {
    let connections = this.#byRunner.get(runner);
    if (connections === undefined) {
      connections = new Map();
      this.#byRunner.set(runner, connections);
    }
    return connections;
  }
}

function endOf(
  runner: Runner,
  at: NetworkInterface,
  local: TransportAddress,
  remote: TransportAddress,
  stream: number | undefined,
): End {
  return {
    runner,
    at,
    local,
    remote,
    stream,
    queue: new BoundedQueue(Infinity),
    retry: FIRST_RETRY,
    stalled: false,
    lastArrival: -Infinity,
  };
}

function inputOf({ stream, local, remote }: End, data: Bytes, now: number): SimInput {
  if (stream !== undefined) return { type: 'streamdata', now, stream, data };
  return { type: 'receive', now, protocol: 'tcp', source: remote, destination: local, data };
}

function pathKey(local: TransportAddress, remote: TransportAddress): string {
  return `${formatAddress(local)} ${formatAddress(remote)}`;
}
