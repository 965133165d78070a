/** The options of a run, read and checked. */
import { parseArgs } from 'node:util';

export const USAGE = `Usage: npm run bench:peers -- [options]

  --only NAMES     of the scenarios, with commas between: SCENARIOS
  --peers NAMES    of the stacks: STACKS
  --rounds N       how often each stack is measured, 1 to 99 (default 3, with --quick 1)
  --quick          one round, with shorter windows
  --package DIR    a checkout whose dist/ is measured as sansrtc, in place of this one's; again for another one beside it
  --json FILE      where the figures go, besides the table
  --help           this text
`;

/** @param scenarios, stacks the names there are */
export function readOptions(args, scenarios, stacks) {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string' },
      peers: { type: 'string' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      package: { type: 'string', multiple: true, default: [] },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const { only, peers, rounds, quick, package: packages, json, help } = values;
  return {
    only: choice('--only', only, scenarios),
    peers: choice('--peers', peers, stacks),
    rounds: rounds === undefined ? (quick ? 1 : 3) : wholeNumber('--rounds', rounds, 99),
    quick,
    packages,
    json,
    help,
  };
}

function choice(option, text, names) {
  if (text === undefined) return names;
  const chosen = text.split(',').map((name) => name.trim());
  for (const name of chosen) {
    if (!names.includes(name)) throw new Error(`${option} takes ${names.join(', ')}, and not "${name}"`);
  }
  return names.filter((name) => chosen.includes(name));
}

function wholeNumber(option, text, most) {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < 1 || value > most) {
    throw new Error(`${option} takes a whole number from 1 to ${most}, and not "${text}"`);
  }
  return value;
}
