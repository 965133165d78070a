/** Checks of STUN and TURN servers that the user has named. */
import { networkInterfaces } from 'node:os';
import { formatAddress } from '../core/address.ts';
import { selfSignedCertificate } from '../dtls/index.ts';
import type { IceServer } from '../gather/index.ts';
import type { IceCandidate, IceCandidateError } from '../ice/index.ts';
import { UdpDriver } from '../node/index.ts';
import { Rtc } from '../rtc.ts';
import type { Check, Finding } from './finding.ts';
import { guessNat, StunProbe } from './stun-probe.ts';
import { duration, printable } from './words.ts';

/** How STUN servers see one socket of ours, and what NAT that speaks for. */
export function stunChecks(
  servers: readonly { readonly host: string; readonly port: number | undefined }[],
): Check {
  return {
    what: `asking ${servers.map(({ host }) => host).join(', ')}`,
    async run() {
      const probe = await StunProbe.open();
      try {
        const answers = await Promise.all(servers.map((server) => probe.ask(server)));
        const findings = answers.map((answer): Finding => {
          if ('error' in answer)
            return { area: 'stun', status: 'fail', text: `${answer.server}: ${answer.error}`, data: answer };
          const { server, mapped, ms } = answer;
          const text = `${server} sees us as ${formatAddress(mapped)} (after ${duration(ms)}; our port is ${probe.port})`;
          return { area: 'stun', status: 'ok', text, data: { server, ...mapped, ms } };
        });
        const answered = answers.flatMap((answer) => ('error' in answer ? [] : [answer]));
        if (answered.length === 0) return findings;
        const local = Object.values(networkInterfaces()).flatMap((list) =>
          (list ?? []).map(({ address }) => address),
        );
        const { kind, text } = guessNat(answered, local);
        return [
          ...findings,
          { area: 'stun', status: kind === 'endpoint-dependent' ? 'warn' : 'ok', text, data: { nat: kind } },
        ];
      } finally {
        probe.close();
      }
    },
  };
}

/** Whether a TURN server lends an address to these credentials. */
export function turnCheck(server: IceServer): Check {
  const url = String(server.urls);
  return {
    what: `asking ${url}`,
    async run() {
      const started = performance.now();
      const relays: { candidate: IceCandidate; ms: number }[] = [];
      const errors: IceCandidateError[] = [];
      const driver = await UdpDriver.listen({ address: '0.0.0.0' });
      try {
        const rtc = new Rtc({ certificate: selfSignedCertificate() });
        await driver.gather(rtc, { iceServers: [server] }, (event) => {
          const ms = performance.now() - started;
          if (event.type === 'icecandidate' && event.candidate.type === 'relay')
            relays.push({ candidate: event.candidate, ms });
          else if (event.type === 'icecandidateerror') errors.push(event);
        });
      } finally {
        await driver.close();
      }
      const findings = relays.map(({ candidate, ms }): Finding => {
        const address = formatAddress({ address: candidate.address, port: candidate.port });
        return {
          area: 'turn',
          status: 'ok',
          text: `${url} lends ${address} (after ${duration(ms)})`,
          data: { url, address, ms },
        };
      });
      if (findings.length > 0) return findings;
      const said = errors
        .map(({ errorCode, errorText }) => `${errorCode} ${printable(errorText)}`)
        .join('; ');
      const text = `${url} lends no address: ${said || 'it gave none'}`;
      return [{ area: 'turn', status: 'fail', text, advice: adviceFor(errors), data: { url, errors } }];
    },
  };
}

function adviceFor(errors: readonly IceCandidateError[]): string[] {
  const codes = new Set(errors.map(({ errorCode }) => errorCode));
  if (codes.has(401) || codes.has(441))
    return ['The server does not take this username and credential; time-limited ones may have expired.'];
  if (codes.has(701))
    return [
      'It did not answer: wrong host or port, a firewall (try ?transport=tcp, or turns: on 443), or it is down.',
    ];
  if (codes.has(486) || codes.has(508))
    return ['The server is full, or this user has as many allocations as it may.'];
  return [];
}
