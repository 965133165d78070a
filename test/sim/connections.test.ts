/** TCP in the simulated network: streams asked for by machines, and datagrams in frames; over links, NATs and their faults. */
import { describe, expect, it } from 'vitest';
import type { TransportAddress } from '../../src/core/address.ts';
import type { HostRequest } from '../../src/core/host.ts';
import type { SimInput, SimOutput } from '../../src/sim/index.ts';
import { Network } from '../../src/sim/index.ts';

const SERVER: TransportAddress = { address: '192.0.2.2', port: 443 };

/** Says what it is told, with the time; asks and sends what it is given. */
class Talker {
  readonly heard: string[] = [];
  readonly sources: TransportAddress[] = [];
  readonly #outputs: SimOutput[] = [];
  readonly #isEcho: boolean;
  onWake: (() => void) | undefined;

  constructor(isEcho = false) {
    this.#isEcho = isEcho;
  }

  ask(request: HostRequest): void {
    this.#outputs.push({ type: 'request', request });
    this.onWake?.();
  }

  send(source: TransportAddress, destination: TransportAddress, text: string): void {
    this.#outputs.push({ type: 'transmit', protocol: 'tcp', source, destination, data: bytes(text) });
    this.onWake?.();
  }

  handleInput(input: SimInput): void {
    const at = String(Math.round(input.now));
    switch (input.type) {
      case 'timeout':
        return;
      case 'resolved':
        this.heard.push(`${at} ${input.name} is ${input.addresses.join(' ') || 'nowhere'}`);
        return;
      case 'streamopened':
        this.heard.push(`${at} opened`);
        return;
      case 'streamaccepted':
        this.sources.push(input.source);
        this.heard.push(`${at} accepted`);
        return;
      case 'streamdata':
        this.heard.push(`${at} ${textOf(input.data)}`);
        if (this.#isEcho)
          this.ask({ type: 'writestream', stream: input.stream, data: bytes(`${textOf(input.data)}!`) });
        return;
      case 'streamclosed':
        this.heard.push(`${at} closed: ${input.reason ?? ''}`);
        return;
      case 'receive':
        this.sources.push(input.source);
        this.heard.push(`${at} ${input.protocol} ${textOf(input.data)}`);
        if (this.#isEcho) this.send(input.destination, input.source, `${textOf(input.data)}!`);
        return;
    }
  }

  pollOutput(): SimOutput {
    return this.#outputs.shift() ?? { type: 'timeout', at: Infinity };
  }
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function textOf(data: Uint8Array): string {
  return String.fromCharCode(...data);
}

function stage(options: { behindNat?: boolean } = {}) {
  const net = new Network({ seed: 7, defaults: { latency: 10 } });
  const nat = net.nat('198.51.100.1', { udp: false });
  const home = options.behindNat === true ? net.host('192.168.1.2', { behind: nat }) : net.host('192.0.2.1');
  const far = net.host(SERVER.address);
  const client = new Talker();
  const server = new Talker(true);
  const atHome = home.attach(client, { port: 5000 });
  const atFar = far.attach(server, { port: SERVER.port });
  return { net, home, far, client, server, atHome, atFar };
}

describe('streams', () => {
  it('opens in a round trip, carries bytes both ways in order, and ends at both ends', () => {
    const { net, client, server } = stage();
    client.ask({ type: 'openstream', stream: 1, protocol: 'tcp', destination: SERVER });
    client.ask({ type: 'writestream', stream: 1, data: bytes('one') });
    client.ask({ type: 'writestream', stream: 1, data: bytes('two') });
    net.run();
    client.ask({ type: 'closestream', stream: 1 });
    net.run();
    expect(server.heard).toEqual(['10 accepted', '30 one', '30 two', '50 closed: closed by the other end']);
    expect(client.heard).toEqual(['20 opened', '40 one!', '40 two!']);
  });

  it('tls takes a round trip more', () => {
    const { net, client } = stage();
    client.ask({
      type: 'openstream',
      stream: 1,
      protocol: 'tls',
      destination: SERVER,
      serverName: 'a.example',
    });
    net.run();
    expect(client.heard).toEqual(['40 opened']);
  });

  it('nobody has the port: refused', () => {
    const { net, client } = stage();
    client.ask({ type: 'openstream', stream: 1, protocol: 'tcp', destination: { ...SERVER, port: 1 } });
    net.run();
    expect(client.heard).toEqual(['10 closed: refused']);
  });

  it('nobody has the address: given up after twenty seconds', () => {
    const { net, client } = stage();
    client.ask({
      type: 'openstream',
      stream: 1,
      protocol: 'tcp',
      destination: { address: '192.0.2.99', port: 1 },
    });
    net.run();
    expect(client.heard).toHaveLength(1);
    expect(client.heard[0]).toMatch(/^2\d{4} closed: nobody answers$/);
  });

  it('what a link loses is sent again, and what is behind it waits', () => {
    const { net, home, far, client, server } = stage();
    client.ask({ type: 'openstream', stream: 1, protocol: 'tcp', destination: SERVER });
    net.run();
    net.direction(home, far).inject(net.direction(home, far).offered, { type: 'drop' });
    client.ask({ type: 'writestream', stream: 1, data: bytes('one') });
    client.ask({ type: 'writestream', stream: 1, data: bytes('two') });
    net.run();
    expect(server.heard).toEqual(['10 accepted', '230 one', '230 two']);
  });

  it('a cut that lasts ends it, and one that heals does not', () => {
    const { net, home, client, server } = stage();
    client.ask({ type: 'openstream', stream: 1, protocol: 'tcp', destination: SERVER });
    net.run();
    net.partition([home]);
    client.ask({ type: 'writestream', stream: 1, data: bytes('one') });
    net.after(5_000, () => {
      net.heal();
    });
    net.run();
    expect(server.heard.at(-1)).toMatch(/ one$/);
    net.partition([home]);
    client.ask({ type: 'writestream', stream: 1, data: bytes('two') });
    net.run();
    expect(client.heard.at(-1)).toMatch(/closed: the other end does not answer$/);
  });

  it('a machine that is killed ends its streams', () => {
    const { net, client, atFar } = stage();
    client.ask({ type: 'openstream', stream: 1, protocol: 'tcp', destination: SERVER });
    net.run();
    atFar.detach();
    net.run();
    expect(client.heard.at(-1)).toMatch(/closed: the other end is gone$/);
  });

  it('a frozen host hears of it when it wakes', () => {
    const { net, home, client } = stage();
    client.ask({ type: 'openstream', stream: 1, protocol: 'tcp', destination: SERVER });
    client.ask({ type: 'writestream', stream: 1, data: bytes('one') });
    net.at(25, () => {
      home.freeze(1_000);
    });
    net.run();
    expect(client.heard).toEqual(['20 opened', '1025 one!']);
  });

  it('a network that lets no UDP out lets streams out, from an address of its own', () => {
    const { net, client, server } = stage({ behindNat: true });
    client.ask({ type: 'openstream', stream: 1, protocol: 'tcp', destination: SERVER });
    net.run();
    expect(client.heard).toEqual(['20 opened']);
    expect(server.sources[0]?.address).toBe('198.51.100.1');
  });
});

describe('datagrams in frames', () => {
  const HOME = { address: '192.0.2.1', port: 9 };

  it('the first one opens the connection, and the answer comes over it', () => {
    const { net, client, server } = stage();
    client.send(HOME, SERVER, 'one');
    client.send(HOME, SERVER, 'two');
    net.run();
    expect(server.heard).toEqual(['30 tcp one', '30 tcp two']);
    expect(client.heard).toEqual(['40 tcp one!', '40 tcp two!']);
    expect(net.datagrams.map(({ fate }) => fate)).toEqual(Array(4).fill('delivered'));
  });

  it('both open at once: one connection', () => {
    const { net, client, server } = stage();
    const home = { address: '192.0.2.1', port: 5000 };
    client.send(home, SERVER, 'ping');
    server.send(SERVER, home, 'pong');
    net.run();
    expect(server.heard).toEqual(['30 tcp ping']);
    expect(client.heard).toContainEqual(expect.stringMatching(/tcp pong$/));
  });

  it('to a port that nobody has: lost', () => {
    const { net, client } = stage();
    client.send(HOME, { ...SERVER, port: 1 }, 'one');
    net.run();
    expect(net.datagrams.map(({ fate }) => fate)).toEqual(['no-listener']);
  });
});

describe('names', () => {
  it('resolve to what the network says, or to nothing', () => {
    const { net, client } = stage();
    net.name('turn.example', ['192.0.2.9', '2001:db8::9']);
    client.ask({ type: 'resolve', name: 'turn.example' });
    client.ask({ type: 'resolve', name: 'other.example' });
    net.run();
    expect(client.heard).toEqual(['0 turn.example is 192.0.2.9 2001:db8::9', '0 other.example is nowhere']);
  });
});
