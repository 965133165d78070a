/* global URLSearchParams */
/**
 * Settings of a run, and the link that brings the run back: seed, conditions, NATs and everything that was done, each with
 * its virtual time. A link is read from anybody, so whatever is not within its range falls back to the default.
 */

/** What a slider may be set to, and how it is said. Rates are kbit/s; 0 is no limit. */
export const RANGES = {
  latency: { min: 0, max: 500, step: 5, fallback: 30, unit: 'ms' },
  jitter: { min: 0, max: 200, step: 5, fallback: 5, unit: 'ms' },
  loss: { min: 0, max: 60, step: 1, fallback: 0, unit: '%' },
  rate: { min: 0, max: 100_000, step: 1, fallback: 0, unit: 'kbit/s' },
};

/** The rates that the slider stands on, kbit/s; the last one is no limit. */
export const RATES = [64, 128, 256, 512, 1000, 2000, 5000, 10_000, 50_000, 0];

export const NATS = ['none', 'fullCone', 'restrictedCone', 'portRestrictedCone', 'symmetric'];
export const SPEEDS = [0.05, 0.25, 1, 4];
export const TRAFFICS = ['off', 'light', 'heavy', 'full'];
export const NAMES = ['alice', 'bob', 'carol'];
export const MAX_ACTIONS = 400;
export const MAX_TEXT = 200;
/** A day of virtual time, ms: no link plans anything beyond it. */
const LATEST = 86_400_000;

/** @returns {object} what a new visitor sees: two peers on an ordinary path */
export function defaultSettings(seed = 1) {
  return {
    seed,
    peers: 2,
    latency: RANGES.latency.fallback,
    jitter: RANGES.jitter.fallback,
    loss: RANGES.loss.fallback,
    rate: RANGES.rate.fallback,
    nats: ['none', 'none', 'none'],
    speed: 1,
    record: false,
  };
}

/** The arguments of each action, in order, and what they may be. */
const ACTIONS = {
  set: [oneOf(Object.keys(RANGES)), number],
  cut: [],
  heal: [],
  freeze: [peer],
  move: [peer],
  rebind: [peer],
  restart: [peer],
  say: [peer, text],
  traffic: [oneOf(TRAFFICS)],
  unreliable: [oneOf(['yes', 'no'])],
};

/**
 * @param settings those at the start of the run
 * @param actions what was done since: `{ at, kind, args }`, in order
 * @returns the fragment of a URL, without `#`
 */
export function encodeLink(settings, actions = []) {
  const { seed, peers, latency, jitter, loss, rate, nats, speed, record } = settings;
  const fields = { seed, peers, latency, jitter, loss, rate, nats: nats.slice(0, peers).join('.'), speed };
  const parameters = new URLSearchParams(
    Object.entries(fields).map(([name, value]) => [name, String(value)]),
  );
  const done = actions
    .slice(0, MAX_ACTIONS)
    .map(({ at, kind, args }) => [escaped(at), kind, ...args.map(escaped)].join('.'));
  if (record) parameters.set('record', '1');
  if (done.length > 0) parameters.set('do', done.join('~'));
  return parameters.toString();
}

/**
 * @param fragment of a URL, with or without `#`
 * @param seed used where the fragment names none
 */
export function decodeLink(fragment, seed = 1) {
  const parameters = new URLSearchParams(fragment.replace(/^#/, ''));
  const settings = defaultSettings(seed);
  const given = (name) => (parameters.has(name) ? Number(parameters.get(name)) : NaN);
  if (Number.isInteger(given('seed')) && given('seed') >= 0 && given('seed') <= 0xffff_ffff)
    settings.seed = given('seed');
  if (given('peers') === 3) settings.peers = 3;
  for (const name of Object.keys(RANGES)) if (inRange(name, given(name))) settings[name] = given(name);
  if (SPEEDS.includes(given('speed'))) settings.speed = given('speed');
  settings.record = parameters.get('record') === '1';
  for (const [i, nat] of (parameters.get('nats') ?? '').split('.').entries())
    if (i < settings.nats.length && NATS.includes(nat)) settings.nats[i] = nat;
  const actions = (parameters.get('do') ?? '')
    .split('~')
    .slice(0, MAX_ACTIONS)
    .flatMap((part) => decodeAction(part, settings.peers) ?? []);
  return { settings, actions: actions.sort((a, b) => a.at - b.at) };
}

function decodeAction(part, peers) {
  const [time, kind, ...raw] = part.split('.');
  const at = Number(unescaped(time ?? '') ?? NaN);
  const rules = Object.hasOwn(ACTIONS, kind ?? '') ? ACTIONS[kind] : undefined;
  if (rules === undefined || raw.length !== rules.length || !(at >= 0 && at <= LATEST) || time === '')
    return undefined;
  const args = rules.map((rule, i) => rule(unescaped(raw[i]), peers));
  if (args.includes(undefined) || (kind === 'set' && !inRange(args[0], args[1]))) return undefined;
  return { at, kind, args };
}

function inRange(name, value) {
  return value >= RANGES[name].min && value <= RANGES[name].max;
}

/** Dots and tildes separate; encodeURIComponent leaves both alone. */
function escaped(value) {
  return encodeURIComponent(String(value)).replaceAll('.', '%2E').replaceAll('~', '%7E');
}

function unescaped(value) {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

function number(value) {
  return value === undefined || value === '' || !Number.isFinite(Number(value)) ? undefined : Number(value);
}

function peer(value, peers) {
  const index = number(value);
  return Number.isInteger(index) && index >= 0 && index < peers ? index : undefined;
}

function text(value) {
  return value === undefined || value === '' ? undefined : value.slice(0, MAX_TEXT);
}

function oneOf(values) {
  return (value) => (values.includes(value) ? value : undefined);
}
