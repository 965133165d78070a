/** HostServices: what a driver does for the core besides datagrams (core/host.ts): names, and streams to servers. */
import type { HostReply, HostRequest } from '../core/host.ts';
import { LocalNames, type MdnsOptions, type MdnsStats } from './local-names.ts';
import { NameResolver, type ResolverOptions, type ResolverStats } from './name-resolver.ts';
import {
  ServerStreams,
  type ServerStreamOptions,
  type ServerStreamStats,
  type ServerTlsOptions,
} from './server-streams.ts';

/** The options of a driver that are these services'. */
export interface HostServiceOptions {
  /** How names of servers are resolved. */
  readonly dns?: ResolverOptions | undefined;
  /**
   * Multicast DNS, for candidates of browsers on the same network: `true` resolves their `.local` names, `{ publish: true }` also
   * hides our own addresses behind such names. It opens port 5353, and needs the package `multicast-dns`. Default: not.
   */
  readonly mdns?: boolean | MdnsOptions | undefined;
  /** Streams to TURN servers. */
  readonly streams?: ServerStreamOptions | undefined;
  /** How TURN servers over TLS are verified. */
  readonly tls?: ServerTlsOptions | undefined;
}

/** Counters of the services, as plain data. */
export interface HostServiceStats {
  readonly dns: ResolverStats;
  /** Of multicast DNS, if the driver has it. */
  readonly mdns?: MdnsStats;
  readonly streams: ServerStreamStats;
}

/** The services of one driver. */
export class HostServices {
  /** Told the replies; never from inside of `handleRequest`. */
  onReply: (reply: HostReply) => void = () => undefined;
  readonly #names: NameResolver;
  readonly #streams: ServerStreams;
  readonly #local: LocalNames | undefined;

  /** Rejects where `LocalNames.open` does, and with `ERR_BAD_ARGUMENT` for certificates that cannot be read. */
  static async open(options: HostServiceOptions): Promise<HostServices> {
    const { mdns = false } = options;
    const streams = new ServerStreams(options.streams, options.tls);
    const local = mdns === false ? undefined : await LocalNames.open(mdns === true ? {} : mdns);
    return new HostServices(options, streams, local);
  }

  private constructor(options: HostServiceOptions, streams: ServerStreams, local: LocalNames | undefined) {
    this.#streams = streams;
    this.#local = local;
    this.#names = new NameResolver(options.dns, local && ((name) => local.lookup(name)));
    streams.onReply = (reply) => this.onReply(reply);
    this.#names.onReply = (reply) => this.onReply(reply);
  }

  /** Never throws. */
  handleRequest(request: HostRequest): void {
    if (request.type === 'resolve') this.#names.resolve(request.name);
    else this.#streams.handleRequest(request);
  }

  /** The name that peers are told in place of an address of ours; `undefined` where addresses are told. */
  nameOf(address: string): string | undefined {
    return this.#local?.publishes === true ? this.#local.publish(address) : undefined;
  }

  /** An address of ours is gone. */
  withdraw(address: string): void {
    this.#local?.withdraw(address);
  }

  unref(): void {
    this.#names.unref();
    this.#streams.unref();
  }

  /** Lets what was written to servers leave, for a second at the most. Nothing is told any more. */
  async close(): Promise<void> {
    this.#names.close();
    this.#local?.close();
    await this.#streams.close();
  }

  stats(): HostServiceStats {
    const mdns = this.#local?.stats();
    return {
      dns: this.#names.stats(),
      ...(mdns === undefined ? {} : { mdns }),
      streams: this.#streams.stats(),
    };
  }
}
