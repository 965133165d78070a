/** `sansrtc doctor`: what it looks at, in lines and as JSON, and STUN servers that answer, lie, or are silent. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cli } from '../../src/cli/cli.ts';
import { guessNat } from '../../src/cli/stun-probe.ts';
import {
  decodeStun,
  StunAttributeType,
  StunMethod,
  StunWriter,
  transactionIdOf,
} from '../../src/stun/index.ts';
import { isFailure } from '../../src/core/decode.ts';
import type { TransportAddress } from '../../src/core/address.ts';
import { issueCertificate } from '../node/certificates.ts';
import { TurnHost } from '../node/turn-host.ts';
import { fakeTerminal } from './terminal.ts';

/** A STUN server on loopback; `see` says what it tells of where a request came from. */
async function stunServer(
  see: (source: TransportAddress) => TransportAddress = (source) => source,
): Promise<string> {
  const socket: Socket = createSocket('udp4');
  socket.on('message', (data, { address, port }) => {
    const request = decodeStun(data);
    if (isFailure(request)) return;
    const answer = new StunWriter('success', StunMethod.binding, transactionIdOf(request))
      .xorAddress(StunAttributeType.xorMappedAddress, see({ address, port }))
      .finish();
    socket.send(answer, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return `127.0.0.1:${socket.address().port}`;
}

interface Report {
  readonly ok: number;
  readonly warn: number;
  readonly fail: number;
  readonly findings: readonly {
    readonly area: string;
    readonly status: string;
    readonly text: string;
    readonly data?: Record<string, unknown>;
  }[];
}

async function report(...args: readonly string[]): Promise<{ code: number; report: Report }> {
  const terminal = fakeTerminal();
  const code = await cli(['doctor', '--json', ...args], terminal);
  return { code, report: JSON.parse(terminal.out()) as Report };
}

describe('a host', () => {
  test('lines: an area each, and the sum', async () => {
    const terminal = fakeTerminal();
    expect(await cli(['doctor'], terminal)).toBe(0);
    const out = terminal.out();
    expect(out).toMatch(/^runtime\n {2}ok {4}Node \d+/);
    for (const area of ['addresses', 'kernel', 'names', 'crypto'])
      expect(out.split(`\n\n${area}\n`)).toHaveLength(2);
    expect(out).toMatch(/\n\d+ ok, \d+ warn, 0 fail\n$/);
  });

  test('JSON: the same for programs', async () => {
    const { code, report: found } = await report();
    expect(code).toBe(0);
    expect(found.findings).toHaveLength(found.ok + found.warn);
    const speeds = found.findings.filter(({ data }) => data?.['sealMBps'] !== undefined);
    expect(speeds.map(({ data }) => data?.['provider'])).toEqual(['js', 'node']);
    const buffers = found.findings.filter(({ area }) => area === 'kernel');
    for (const { data } of buffers)
      expect(data).toMatchObject({ asked: 4 * 1024 * 1024, granted: expect.any(Number) });
  });
});

describe('STUN servers', () => {
  const NAT = { address: '203.0.113.7', port: 40_000 };

  test.each([
    ['no NAT', undefined, undefined, 'none', 'ok'],
    ['one mapping', () => NAT, () => NAT, 'unknown', 'ok'],
    ['another port for each', () => NAT, () => ({ ...NAT, port: 40_001 }), 'endpoint-dependent', 'warn'],
  ])('%s', async (_, first, second, nat, status) => {
    const servers = [await stunServer(first), await stunServer(second)];
    const { code, report: found } = await report(
      '--stun',
      servers[0] ?? '',
      '--stun',
      `stun:${servers[1] ?? ''}`,
    );
    expect(code).toBe(0);
    const guess = found.findings.find(({ data }) => data?.['nat'] !== undefined);
    expect(guess).toMatchObject({ status, data: { nat } });
  });

  test('servers at two addresses: the kind is known', () => {
    const answers = ['198.51.100.1', '198.51.100.2'].map((asked) => ({ mapped: NAT, asked }));
    expect(guessNat(answers, ['10.0.0.1']).kind).toBe('endpoint-independent');
    expect(guessNat(answers, [NAT.address]).kind).toBe('none');
    expect(guessNat(answers.slice(1), ['10.0.0.1']).kind).toBe('unknown');
  });

  test('one that is silent: fail, exit code 1, and a line of progress', async () => {
    const silent = createSocket('udp4');
    silent.bind(0, '127.0.0.1');
    await once(silent, 'listening');
    onTestFinished(() => void silent.close());
    const terminal = fakeTerminal();
    expect(await cli(['doctor', '--stun', `127.0.0.1:${silent.address().port}`], terminal)).toBe(1);
    expect(terminal.out()).toMatch(/stun\n {2}fail {2}127\.0\.0\.1:\d+: no answer within 5 s/);
    expect(terminal.err()).toContain('asking 127.0.0.1 …\n');
  });
});

describe('a TURN server', () => {
  test('lends an address, or says why not', async () => {
    const host = await TurnHost.open({ ann: 'secret' }, await issueCertificate());
    onTestFinished(() => host.close());
    const url = `turn:127.0.0.1:${host.ports.udp}`;
    const good = await report('--turn', url, '--username', 'ann', '--credential', 'secret');
    expect(good.code).toBe(0);
    expect(good.report.findings.find(({ area }) => area === 'turn')?.text).toMatch(/lends 127\.0\.0\.1:\d+/);
    const bad = await report('--turn', url, '--username', 'ann', '--credential', 'wrong');
    expect(bad.code).toBe(1);
    expect(bad.report.findings.find(({ area }) => area === 'turn')?.text).toMatch(/lends no address: 401/);
  });
});
