/** Checks of the host: addresses of its interfaces, buffers of its kernel, multicast DNS. */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { addressClass } from '../ice/index.ts';
import { canonicalAddress } from '../core/address.ts';
import { selfSignedCertificate } from '../dtls/index.ts';
import { UdpDriver } from '../node/index.ts';
import { Rtc } from '../rtc.ts';
import type { Check, Finding } from './finding.ts';

/** What the driver asks the kernel for. */
const WANTED_BUFFER = 4 * 1024 * 1024;

/** The addresses that peers would be told. @param host what is bound; default: all interfaces. */
export function addressChecks(host: string | undefined): Check {
  return {
    what: 'looking at addresses',
    async run() {
      const interfaces = Object.entries(networkInterfaces()).flatMap(([name, list]) =>
        (list ?? []).map((entry) => ({
          name,
          ...entry,
          address: canonicalAddress(entry.address) ?? entry.address,
        })),
      );
      const nameOf = (address: string): string =>
        interfaces.find((entry) => entry.address === address)?.name ?? 'no interface';
      const hasIpv6 = interfaces.some(({ family, internal }) => family === 'IPv6' && !internal);
      const bound = host ?? (hasIpv6 ? '::' : '0.0.0.0');
      const offered = await offeredAddresses(bound);
      const classes = offered.map((address) => addressClass(address));
      const findings: Finding[] = offered.map((address, i) => ({
        area: 'addresses',
        status: 'ok',
        text: `peers are told ${address} (${nameOf(address)}, ${classes[i] ?? ''})`,
        data: { address, interface: nameOf(address), class: classes[i], offered: true },
      }));
      const left = interfaces.filter(({ address }) => !offered.includes(address));
      for (const { address, name, internal } of left) {
        const why = internal
          ? 'loopback'
          : address.startsWith('fe80:')
            ? 'link-local'
            : `not bound by ${bound}`;
        const text = `peers are not told ${address} (${name}): ${why}`;
        findings.push({
          area: 'addresses',
          status: 'ok',
          text,
          data: { address, interface: name, offered: false },
        });
      }
      findings.push(reach(classes));
      findings.push({
        area: 'addresses',
        status: 'ok',
        text: offered.some((address) => address.includes(':'))
          ? 'IPv6: yes'
          : 'IPv6: no address that is of use to peers; IPv4 alone is offered',
      });
      return findings;
    },
  };
}

/** Who can reach addresses of these classes. */
function reach(classes: readonly string[]): Finding {
  const area = 'addresses';
  if (classes.includes('public'))
    return { area, status: 'ok', text: 'peers on the internet: reach a public address of this host' };
  if (classes.every((one) => one === 'loopback'))
    return {
      area,
      status: 'warn',
      text: 'peers elsewhere: none can reach this host, it offers nothing but loopback',
      advice: ['Bind an address of an interface, or 0.0.0.0. In a container without a network, give it one.'],
    };
  return {
    area,
    status: 'warn',
    text: 'peers on the internet: cannot reach this host by itself, all its addresses are private',
    advice: [
      'A server behind a 1:1 NAT (cloud, container): announce its public address. A client: use STUN and TURN servers.',
      'Peers in the same network are not concerned.',
    ],
  };
}

async function offeredAddresses(address: string): Promise<string[]> {
  const driver = await UdpDriver.listen({ address });
  try {
    const rtc = new Rtc({ certificate: selfSignedCertificate() });
    driver.add(rtc);
    return rtc.localCandidates.map((candidate) => candidate.address);
  } finally {
    await driver.close();
  }
}

/** What the kernel gives of the buffers that the driver asks for. */
export function bufferChecks(): Check {
  return {
    what: 'looking at kernel buffers',
    async run() {
      const driver = await UdpDriver.listen();
      const { receiveBufferSize, sendBufferSize } = driver.stats();
      await driver.close();
      return [
        bufferFinding('receive', receiveBufferSize, 'net.core.rmem_max'),
        bufferFinding('send', sendBufferSize, 'net.core.wmem_max'),
      ];
    },
  };
}

function bufferFinding(which: 'receive' | 'send', granted: number, sysctl: string): Finding {
  const text = `UDP ${which} buffer: asked for ${kib(WANTED_BUFFER)}, got ${kib(granted)}`;
  const data = { which, asked: WANTED_BUFFER, granted, [sysctl]: readSysctl(sysctl) };
  if (granted >= WANTED_BUFFER) return { area: 'kernel', status: 'ok', text, data };
  const loses =
    which === 'receive' ? 'bursts are lost before the process sees them' : 'bursts wait in the process';
  const advice =
    process.platform === 'linux'
      ? [
          `sysctl -w ${sysctl}=${WANTED_BUFFER}      (as root; of a container, on its host)`,
          `echo ${sysctl}=${WANTED_BUFFER} >> /etc/sysctl.d/60-webrtc.conf      (after a reboot, too)`,
        ]
      : ["Raise the system's limit for socket buffers."];
  return { area: 'kernel', status: 'warn', text: `${text}: ${loses}`, advice, data };
}

function readSysctl(name: string): number | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return Number(readFileSync(`/proc/sys/${name.replaceAll('.', '/')}`, 'utf8'));
  } catch {
    return undefined; // a container may hide it
  }
}

function kib(bytes: number): string {
  return bytes >= 1024 * 1024 ? `${(bytes / 1024 / 1024).toFixed(1)} MiB` : `${Math.round(bytes / 1024)} KiB`;
}

/** Whether `.local` names of browsers on this link can be looked up. */
export function mdnsCheck(): Check {
  return {
    what: 'looking at multicast DNS',
    async run() {
      try {
        const driver = await UdpDriver.listen({ mdns: true });
        const failed = driver.stats().mdns?.failed ?? 0;
        await driver.close();
        if (failed === 0)
          return [
            {
              area: 'names',
              status: 'ok',
              text: 'multicast DNS: port 5353 is open, .local names of browsers can be looked up',
            },
          ];
        return [{ area: 'names', status: 'warn', text: 'multicast DNS: an interface takes no multicast' }];
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        if (!message.includes('multicast-dns'))
          return [{ area: 'names', status: 'warn', text: `multicast DNS cannot be used: ${message}` }];
        const text = 'multicast DNS: off, the package multicast-dns is not installed';
        const advice = [
          'Servers do not need it. A client in the same network as browsers may: npm install multicast-dns, listen({ mdns: true }).',
        ];
        return [{ area: 'names', status: 'ok', text, advice }];
      }
    },
  };
}
