/* global document, window, location, history, navigator, localStorage, crypto, requestAnimationFrame, matchMedia, Blob */
/**
 * The playground's page: makes a world, lets its time pass frame by frame, and draws. What it shows is in modules of its own; here is
 * who calls whom, and when: the simulator each frame, the ladder every second one, the plots and the tree a few times a second.
 */
import { formatTrace } from 'sansrtc/trace';
import { FrameFigures } from './frame-figures.js';
import { duration, pathText, peerNodes } from './inspection.js';
import { LadderView, clock } from './ladder-view.js';
import { LiveLadder } from './ladder-model.js';
import { Pace } from './pace.js';
import { rateUnit, timeUnit } from './plot-model.js';
import { Plot, SAMPLE } from './plot-view.js';
import { NAMES, NATS, RANGES, RATES, MAX_ACTIONS, decodeLink, encodeLink } from './settings.js';
import { TraceView } from './trace-view.js';
import { Tree } from './tree.js';
import { describeArrow } from './words.js';
import { FREEZE, MAX_DATAGRAMS, World } from './world.js';

const byId = (id) => document.getElementById(id);
/** Frames between two drawings. They take turns, so that no frame has them all. */
const LADDER_EVERY = 2;
/** Samples over which a rate is averaged: half a second. */
const AVERAGED = 5;
const PLOTS_EVERY = 8;
const TREE_EVERY = 20;
const STATUS_EVERY = 12;
const NAT_NAMES = {
  none: 'no NAT',
  fullCone: 'full cone',
  restrictedCone: 'restricted cone',
  portRestrictedCone: 'port-restricted cone',
  symmetric: 'symmetric',
};

const figures = new FrameFigures();
const pace = new Pace();
const ladderView = new LadderView(byId('ladder'));
const tree = new Tree(byId('tree'));
const traceView = new TraceView(byId);

let world;
let ladder;
let plots;
/** What the run was started with, what has been done since, and what a link says is still to be done. */
let start;
let done = [];
let planned = [];
let frameNumber = 0;
let isTraceShown = false;
let journalShown;
let sampled;
let failure;

// --- a run ---

function begin(settings, actions = []) {
  start = settings;
  done = [];
  planned = [...actions];
  failure = undefined;
  world = new World(settings);
  ladder = new LiveLadder(['alice', 'relay', 'bob', ...(settings.peers === 3 ? ['carol'] : [])]);
  ladderView.show(ladder);
  plots?.forEach((plot) => plot.stop());
  plots = [
    new Plot(
      byId('throughput'),
      world.peers.map(({ name }) => name),
      rateUnit,
    ),
    new Plot(
      byId('round-trip'),
      world.connections.map(({ name }) => name),
      timeUnit,
    ),
  ];
  sampled = [];
  journalShown = undefined;
  byId('datagram').textContent = '';
  setPaused(false);
  pace.speed = settings.speed;
  showSettings();
  makePeerRows();
  showStatus();
  showTree();
}

/** One virtual millisecond, with what was planned for it. */
function step() {
  while (planned.length > 0 && planned[0].at <= world.now) carryOut(planned.shift());
  world.step();
  if (ladder.take(world)) ladderView.changed();
  if (world.now % SAMPLE === 0) sample();
  if (world.isFull) stopFull();
}

function carryOut(action) {
  done.push(action);
  world.act(action);
}

/** Something that the visitor does: now, and whenever the link is opened. */
function act(kind, ...args) {
  if (failure !== undefined) return;
  if (done.length >= MAX_ACTIONS)
    say(`A link keeps ${MAX_ACTIONS} actions; this one is done, and not in it.`);
  attempt(() => carryOut({ at: world.now, kind, args }));
  showStatus();
}

function sample() {
  const received = world.peers.map((peer) => world.endsOf(peer).reduce((sum, end) => sum + end.received, 0));
  sampled.push(received);
  if (sampled.length > AVERAGED + 1) sampled.shift();
  const span = (sampled.length - 1) * SAMPLE;
  plots[0].add(
    world.now,
    received.map((bytes, i) => (span === 0 ? 0 : ((bytes - sampled[0][i]) * 8000) / span)),
  );
  plots[1].add(
    world.now,
    world.connections.map(({ ends }) => roundTrip(ends[0])),
  );
}

function roundTrip(end) {
  if (end.reason !== undefined || end.state !== 'connected') return undefined;
  return end.rtc.inspect().sctp?.send.roundTripTime ?? undefined;
}

function stopFull() {
  setPaused(true);
  byId('play').disabled = true;
  say(`This run is full: ${MAX_DATAGRAMS.toLocaleString('en')} datagrams. Start another one.`);
}

/** What the simulator throws is shown, and ends the run: it is a bug, and its seed brings it back. */
function attempt(run) {
  try {
    run();
  } catch (error) {
    failure = error;
    setPaused(true);
    complain(`The run stopped: ${error.message}. The link brings it back.`);
    console.error(error);
  }
}

// --- frames ---

function frame(now) {
  requestAnimationFrame(frame);
  const began = performance.now();
  frameNumber++;
  if (isTraceShown) traceView.draw();
  else if (failure === undefined) attempt(() => drawLive(now));
  figures.add(began, performance.now());
}

function drawLive(now) {
  const steps = pace.frame(now, step, () => performance.now());
  if (steps > 0) byId('time').textContent = clock(world.now);
  const turn = frameNumber % (PLOTS_EVERY * TREE_EVERY * 3);
  if (turn % LADDER_EVERY === 0) ladderView.draw();
  else if (turn % PLOTS_EVERY === 1) plots[0].draw(world.now);
  else if (turn % PLOTS_EVERY === 5) plots[1].draw(world.now);
  else if (turn % TREE_EVERY === 3) showTree();
  else if (turn % STATUS_EVERY === 7) showStatus();
}

function showTree() {
  tree.show(() =>
    world.peers.map((peer) => ({
      name: peer.name,
      value: world.isFrozen(peer) ? 'frozen' : peer.address,
      tone: world.isFrozen(peer) ? 'bad' : '',
      open: peer.index === 0,
      children: () => peerNodes(world.endsOf(peer), world.now),
    })),
  );
}

function showStatus() {
  const list = byId('connections');
  for (const [i, { name, ends }] of world.connections.entries()) {
    const item = list.children[i] ?? list.appendChild(document.createElement('li'));
    const [a, b] = ends;
    const closed = a.reason ?? b.reason;
    const isUp = a.state === 'connected' && b.state === 'connected' && closed === undefined;
    const worst = closed !== undefined ? 'closed' : a.state === 'connected' ? b.state : a.state;
    const path = isUp ? `, ${pathText(a.rtc.inspect().ice.selectedPair)}` : '';
    const why = closed === undefined ? '' : `: ${closed.message}`;
    setText(item, `${name}: ${isUp ? 'connected' : worst}${path}${why}`);
    item.dataset.tone = isUp ? 'good' : ['new', 'connecting'].includes(worst) ? 'wait' : 'bad';
  }
  while (list.children.length > world.connections.length) list.lastChild.remove();
  for (const peer of world.peers) {
    const row = byId(`peer-${peer.index}`);
    const isFrozen = world.isFrozen(peer);
    const where = isFrozen ? `frozen, ${duration(peer.host.frozenUntil - world.now)} left` : peer.address;
    setText(row.querySelector('.where'), where);
    row.querySelector('[data-act=freeze]').disabled = isFrozen;
  }
  setText(byId('cut'), world.isCut ? 'Restore the path' : 'Cut the path');
  byId('cut').setAttribute('aria-pressed', String(world.isCut));
  byId('lag').hidden = pace.isPaused || pace.kept > 0.9;
  const { delivered, lost, cut, 'queue-full': full } = world.counts();
  const sent = world.datagrams.length.toLocaleString('en');
  setText(
    byId('counts'),
    `${sent} datagrams sent, ${delivered.toLocaleString('en')} delivered, ${(lost + cut + full).toLocaleString('en')} lost${planned.length > 0 ? `; ${planned.length} actions of the link are still to come` : ''}`,
  );
  showJournal();
  showConditions();
}

function showJournal() {
  const last = world.journal.at(-1);
  if (last === journalShown) return;
  journalShown = last;
  byId('journal').replaceChildren(
    ...world.journal
      .slice(-60)
      .reverse()
      .map(({ at, text, kind }) => {
        const item = document.createElement('li');
        const time = document.createElement('span');
        time.className = 'at';
        time.textContent = clock(at);
        item.dataset.tone = kind;
        item.append(time, text);
        return item;
      }),
  );
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// --- controls ---

function makeSliders() {
  for (const name of ['latency', 'jitter', 'loss']) {
    const { min, max, step: by } = RANGES[name];
    Object.assign(byId(name), { min, max, step: by });
    byId(name).addEventListener('input', () => act('set', name, byId(name).valueAsNumber));
  }
  Object.assign(byId('rate'), { min: 0, max: RATES.length - 1, step: 1 });
  byId('rate').addEventListener('input', () => act('set', 'rate', RATES[byId('rate').valueAsNumber]));
}

function showConditions() {
  const { settings } = world;
  for (const name of ['latency', 'jitter', 'loss']) {
    const text = `${settings[name]} ${RANGES[name].unit}`;
    if (byId(name).valueAsNumber !== settings[name]) byId(name).value = settings[name];
    setText(byId(`${name}-value`), text);
    byId(name).setAttribute('aria-valuetext', text);
  }
  const text = rateText(settings.rate);
  const place = RATES.findIndex((rate) => rate === settings.rate);
  if (place >= 0 && byId('rate').valueAsNumber !== place) byId('rate').value = place;
  setText(byId('rate-value'), text);
  byId('rate').setAttribute('aria-valuetext', text);
  if (byId('traffic').value !== world.traffic) byId('traffic').value = world.traffic;
  byId('unreliable').checked = !world.isReliable;
}

function rateText(rate) {
  if (rate === 0) return 'no limit';
  return rate >= 1000 ? `${rate / 1000} Mbit/s` : `${rate} kbit/s`;
}

/** Of the form for a new run. */
function showSettings() {
  byId('seed').value = start.seed;
  byId('count').value = start.peers;
  byId('speed').value = start.speed;
  byId('record').checked = start.record;
  byId('nats').replaceChildren(
    ...NAMES.map((name, i) => {
      const label = document.createElement('label');
      label.textContent = `${name}’s NAT`;
      label.dataset.peer = i;
      const select = document.createElement('select');
      select.id = `nat-${i}`;
      for (const nat of NATS) select.add(new window.Option(NAT_NAMES[nat], nat));
      select.value = start.nats[i];
      label.append(select);
      return label;
    }),
  );
  showNats();
}

function showNats() {
  for (const label of byId('nats').children)
    label.hidden = Number(label.dataset.peer) >= Number(byId('count').value);
}

function makePeerRows() {
  byId('say-from').replaceChildren(...world.peers.map(({ name, index }) => new window.Option(name, index)));
  byId('peers').replaceChildren(
    ...world.peers.map((peer) => {
      const row = document.createElement('div');
      row.className = 'peer';
      row.id = `peer-${peer.index}`;
      const nat = NAT_NAMES[start.nats[peer.index]];
      row.innerHTML = `<h3>${peer.name} <span class="where"></span> <span class="nat">${nat}</span></h3><div class="buttons"></div>`;
      const buttons = row.querySelector('.buttons');
      const button = (text, kind, title, isOff = false) => {
        const made = document.createElement('button');
        made.type = 'button';
        made.dataset.act = kind;
        made.textContent = text;
        made.disabled = isOff;
        made.title = title;
        made.setAttribute('aria-label', `${text}: ${peer.name}`);
        made.addEventListener('click', () => act(kind, peer.index));
        buttons.append(made);
      };
      button(
        `Freeze ${FREEZE / 1000} s`,
        'freeze',
        'The process stands still: nothing is heard, no timer runs',
      );
      button('Change network', 'move', 'The address is gone, another one comes; ICE restarts');
      button('Reset NAT', 'rebind', 'The NAT forgets its mappings', peer.nat === undefined);
      button('Restart ICE', 'restart', 'Look for a path anew, with new credentials');
      const save = document.createElement('button');
      save.type = 'button';
      save.textContent = 'Save trace';
      save.setAttribute('aria-label', `Save trace: ${peer.name}`);
      save.disabled = !start.record;
      save.title = start.record
        ? 'As sansrtc-trace and this page read it'
        : 'Start a new run with “record traces”';
      save.addEventListener('click', () => saveTrace(peer));
      buttons.append(save);
      return row;
    }),
  );
}

function saveTrace(peer) {
  const [end] = world.endsOf(peer);
  const { recorder } = end;
  download(formatTrace(recorder.trace), `${peer.name}-to-${end.other.name}-seed-${start.seed}.jsonl`);
  if (recorder.isCut) say('The trace has the first 100,000 entries of the run.');
}

function download(text, name) {
  const link = document.createElement('a');
  link.href = window.URL.createObjectURL(new Blob([text], { type: 'application/jsonl' }));
  link.download = name;
  link.click();
  setTimeout(() => window.URL.revokeObjectURL(link.href), 1000);
}

function setPaused(isPaused) {
  pace.isPaused = isPaused;
  byId('play').disabled = false;
  setText(byId('play'), isPaused ? 'Go on' : 'Pause');
  byId('step').disabled = !isPaused;
}

function say(text) {
  const notice = byId('notice');
  notice.hidden = false;
  notice.textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => (notice.hidden = true), 6000);
}

function complain(text) {
  byId('problem').hidden = false;
  byId('problem-text').textContent = text;
}

/** The run as it is now: what was done, and what a link still plans. */
function link() {
  return encodeLink({ ...start, speed: pace.speed }, [...done, ...planned]);
}

async function share() {
  history.replaceState(null, '', `#${link()}`);
  try {
    await navigator.clipboard.writeText(location.href);
    say('Link copied: it brings back this run, with all that was done.');
  } catch {
    say('The link is in the address bar: copy it from there.');
  }
}

function useTheme(theme) {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  ladderView.readColors();
  traceView.readColors();
}

// --- traces ---

async function openTrace(file) {
  byId('problem').hidden = true;
  byId('reading').hidden = false;
  byId('reading-progress').value = 0;
  try {
    await traceView.open(file, (share) => (byId('reading-progress').value = share));
    showTrace(true);
  } catch (error) {
    complain(`${file.name} cannot be read: ${error.message}.`);
  } finally {
    byId('reading').hidden = true;
  }
}

function showTrace(isShown) {
  isTraceShown = isShown;
  byId('trace').hidden = !isShown;
  byId('live').hidden = isShown;
  byId(isShown ? 'trace-close' : 'open-file').focus();
  if (!isShown) ladderView.changed();
}

function wireFiles() {
  byId('open-file').addEventListener('click', () => byId('file').click());
  byId('file').addEventListener('change', () => {
    const [file] = byId('file').files;
    if (file !== undefined) void openTrace(file);
    byId('file').value = '';
  });
  byId('trace-close').addEventListener('click', () => showTrace(false));
  let depth = 0;
  const isFile = (event) => [...event.dataTransfer.types].includes('Files');
  const hint = (by) => (byId('drop').hidden = (depth = Math.max(0, depth + by)) === 0);
  window.addEventListener('dragenter', (event) => isFile(event) && hint(1));
  window.addEventListener('dragleave', (event) => isFile(event) && hint(-1));
  window.addEventListener('dragover', (event) => event.preventDefault());
  window.addEventListener('drop', (event) => {
    event.preventDefault();
    hint(-Infinity);
    const [file] = event.dataTransfer.files;
    if (file !== undefined) void openTrace(file);
  });
}

function wire() {
  makeSliders();
  byId('play').addEventListener('click', () => setPaused(!pace.isPaused));
  byId('step').addEventListener('click', () => {
    attempt(() => {
      for (let i = 0; i < 10 && !world.isFull; i++) step();
    });
    byId('time').textContent = clock(world.now);
    showStatus();
  });
  byId('again').addEventListener('click', () =>
    begin({ ...start, speed: pace.speed }, [...done, ...planned]),
  );
  byId('speed').addEventListener('change', () => (pace.speed = Number(byId('speed').value)));
  byId('cut').addEventListener('click', () => act(world.isCut ? 'heal' : 'cut'));
  byId('traffic').addEventListener('change', () => act('traffic', byId('traffic').value));
  byId('unreliable').addEventListener('change', () =>
    act('unreliable', byId('unreliable').checked ? 'yes' : 'no'),
  );
  byId('say').addEventListener('submit', (event) => {
    event.preventDefault();
    act('say', Number(byId('say-from').value), byId('say-text').value || 'hello');
    byId('say-text').value = '';
  });
  byId('dice').addEventListener('click', () => (byId('seed').value = freshSeed()));
  byId('count').addEventListener('change', showNats);
  byId('setup').addEventListener('submit', (event) => {
    event.preventDefault();
    const nats = NAMES.map((_, i) => byId(`nat-${i}`).value);
    begin({
      ...world.settings,
      seed: byId('seed').valueAsNumber,
      record: byId('record').checked,
      peers: Number(byId('count').value),
      nats,
      speed: pace.speed,
    });
  });
  byId('share').addEventListener('click', () => void share());
  byId('follow').addEventListener('click', () => {
    ladderView.follow();
    byId('ladder').focus();
  });
  ladderView.onFollow = (isFollowing) => (byId('follow').hidden = isFollowing);
  ladderView.onChoose = (arrow) =>
    (byId('datagram').textContent = arrow === undefined ? '' : describeArrow(arrow, ladder.lanes));
  byId('problem-close').addEventListener('click', () => (byId('problem').hidden = true));
  byId('theme').addEventListener('change', () => {
    const theme = byId('theme').value;
    try {
      localStorage.setItem('theme', theme);
    } catch {
      // A page that may keep nothing has the theme for as long as it is open.
    }
    useTheme(theme);
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => useTheme(byId('theme').value));
  window.addEventListener('hashchange', () => openLink());
}

function freshSeed() {
  return crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000;
}

function openLink() {
  const { settings, actions } = decodeLink(location.hash, freshSeed());
  attempt(() => begin(settings, actions));
}

function storedTheme() {
  try {
    return localStorage.getItem('theme') ?? 'auto';
  } catch {
    return 'auto';
  }
}

/** On a phone the controls begin folded, so that the ladder is in sight. */
function foldForPhones() {
  if (!matchMedia('(max-width: 700px)').matches) return;
  for (const card of document.querySelectorAll('.controls details')) card.open = card.id === 'network';
}

wire();
wireFiles();
foldForPhones();
byId('theme').value = storedTheme();
useTheme(byId('theme').value);
openLink();
requestAnimationFrame(frame);

/** For whoever measures, or looks from the console. */
window.playground = {
  figures: () => ({ ...figures.summary(), trace: traceView.figures }),
  resetFigures: () => figures.reset(),
  openTrace,
  /** Runs on to a virtual time, at once, and pauses there. */
  runTo(time) {
    setPaused(true);
    attempt(() => {
      while (world.now < time && !world.isFull) step();
    });
    byId('time').textContent = clock(world.now);
    showStatus();
    showTree();
    ladderView.changed();
    return { now: world.now, digest: world.digest() };
  },
  link,
  get world() {
    return world;
  },
};
