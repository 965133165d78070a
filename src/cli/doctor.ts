/** The command `sansrtc doctor`: looks at this host and says, in words, what of it suits WebRTC and what does not. */
import { ipAddress, noPositionals, parseOptions, splitHostPort } from './arguments.ts';
import type { Check, Finding } from './finding.ts';
import { addressChecks, bufferChecks, mdnsCheck } from './host-checks.ts';
import { serversOf } from './connect.ts';
import { stunChecks, turnCheck } from './server-checks.ts';
import { clockCheck, connectionCheck, cryptoCheck, nodeCheck, timerCheck } from './speed-checks.ts';
import { withProgress, type Terminal } from './terminal.ts';

const USAGE = `Usage: sansrtc doctor [OPTIONS]

Looks at this host: version of Node, clock, addresses that peers would be told, kernel buffers, multicast DNS, cryptography. It asks
no other host unless you name one.

  --host ADDRESS      the address that your server will bind (default: every interface)
  --stun HOST[:PORT]  ask this STUN server how we are seen from outside; given twice, the kind of NAT is known
  --turn URL          allocate an address of this TURN server: turn:HOST[:PORT][?transport=tcp], turns:HOST
  --username NAME, --credential SECRET      for --turn
  --json              one JSON object, for programs
  -h, --help          this text

Each line says ok, warn (it works, not as well as it could) or fail. Exit codes: 0 nothing failed, 1 something did, 2 wrong usage.
`;

/** Looks, and tells as it goes. @returns the exit code. */
export async function doctor(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = parseOptions(args, {
    host: { type: 'string' },
    stun: { type: 'string', multiple: true },
    turn: { type: 'string', multiple: true },
    username: { type: 'string' },
    credential: { type: 'string' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  });
  if (values.help === true) {
    terminal.stdout(USAGE);
    return 0;
  }
  noPositionals(positionals);
  const host = values.host === undefined ? undefined : ipAddress('host', values.host);
  const stun = (values.stun ?? []).map((text) => splitHostPort('stun', text));
  const turn = serversOf({ ...values, stun: [] });
  const checks: Check[] = [
    nodeCheck,
    clockCheck,
    timerCheck,
    addressChecks(host),
    bufferChecks(),
    mdnsCheck(),
    ...(stun.length === 0 ? [] : [stunChecks(stun)]),
    ...turn.map((server) => turnCheck(server)),
    cryptoCheck('js'),
    cryptoCheck('node'),
    connectionCheck('js'),
    connectionCheck('node'),
  ];
  const findings: Finding[] = [];
  for (const check of checks) {
    const found = await withProgress(
      terminal,
      () => check.what,
      () => attempt(check),
    );
    for (const finding of found) {
      if (values.json !== true) tell(finding, findings.at(-1)?.area, terminal);
      findings.push(finding);
    }
  }
  const count = (status: Finding['status']): number => findings.filter((one) => one.status === status).length;
  const counts = { ok: count('ok'), warn: count('warn'), fail: count('fail') };
  if (values.json === true) terminal.stdout(`${JSON.stringify({ ...counts, findings }, undefined, 2)}\n`);
  else terminal.stdout(`\n${counts.ok} ok, ${counts.warn} warn, ${counts.fail} fail\n`);
  return counts.fail === 0 ? 0 : 1;
}

/** A check that throws has failed: the others go on. */
async function attempt({ what, run }: Check): Promise<Finding[]> {
  try {
    return await run();
  } catch (error) {
    const text = `${what}: ${error instanceof Error ? error.message : String(error)}`;
    return [{ area: 'runtime', status: 'fail', text }];
  }
}

function tell(finding: Finding, before: Finding['area'] | undefined, terminal: Terminal): void {
  const { area, status, text, advice = [] } = finding;
  if (area !== before) terminal.stdout(`${before === undefined ? '' : '\n'}${area}\n`);
  terminal.stdout(`  ${status.padEnd(4)}  ${text}\n`);
  for (const line of advice) terminal.stdout(`        ${line}\n`);
}
