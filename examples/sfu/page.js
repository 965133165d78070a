/* global document, navigator, location, EventSource, MediaStream, RTCPeerConnection, URLSearchParams, window, setInterval, clearInterval */
/**
 * The page of a room: what this browser sends goes out once, in three sizes; of everybody else it gets one of them.
 * What it tells the server and what it is told is described in server.mjs and member.mjs.
 */
const ENCODINGS = [
  { rid: 'l', scaleResolutionDownBy: 4, maxBitrate: 100_000 },
  { rid: 'm', scaleResolutionDownBy: 2, maxBitrate: 300_000 },
  { rid: 'h', scaleResolutionDownBy: 1, maxBitrate: 1_000_000 },
];
const LAYER_NAMES = { l: 'low', m: 'medium', h: 'high' };
/** Chromium sends no third layer of anything smaller. */
const PICTURE = { width: 960, height: 540, frameRate: 15 };
const MEASURE_EVERY = 1000;

const byId = (id) => document.getElementById(id);
const joinForm = byId('join');
let current;

/** One membership: the stream of events, the connection, and a tile for everybody. */
class Membership {
  #connection = new RTCPeerConnection();
  #events;
  #own;
  #id;
  #tiles = new Map();
  #makesOffer = false;
  /** Signals are taken one after the other, and so are sent. */
  #taking = Promise.resolve();
  #sending = Promise.resolve();
  #timer;

  constructor(room, name, own) {
    this.#own = own;
    this.#events = new EventSource(`join?${new URLSearchParams({ room, name })}`);
    this.#events.onmessage = ({ data }) => this.#hear(JSON.parse(data));
    this.#events.onerror = () => this.close('failed', 'the room has gone');
    this.#connection.onconnectionstatechange = () => {
      const { connectionState } = this.#connection;
      showState(connectionState === 'failed' ? 'failed' : connectionState, connectionState);
    };
    this.#connection.onnegotiationneeded = () => this.#offer();
    this.#connection.ontrack = ({ track, streams: [stream] }) => {
      if (stream !== undefined) this.#tiles.get(stream.id)?.show(stream, track);
    };
    this.#timer = setInterval(() => void this.#measure(), MEASURE_EVERY);
  }

  close(state = 'new', text = 'not joined') {
    clearInterval(this.#timer);
    this.#events.close();
    this.#connection.close();
    for (const track of this.#own.getTracks()) track.stop();
    byId('people').replaceChildren();
    showHint('Join a room, with or without a camera. Everybody who joins the same one is seen here.');
    if (current === this) current = undefined;
    showState(state, text);
  }

  #hear({ welcome, people, signal, layers, refused }) {
    if (welcome !== undefined) this.#begin(welcome);
    if (people !== undefined) this.#showPeople(people);
    if (layers !== undefined) this.#tiles.get(layers.publisher)?.showLayers(layers);
    if (refused !== undefined) console.error(refused);
    if (signal !== undefined) this.#taking = this.#taking.then(() => this.#take(signal)).catch(console.error);
  }

  /** Both sections are there from the first offer on, with or without a camera and a microphone to fill them. */
  #begin(id) {
    this.#id = id;
    const [audio] = this.#own.getAudioTracks();
    const [video] = this.#own.getVideoTracks();
    const init = { direction: 'sendonly', streams: [this.#own] };
    this.#connection.addTransceiver(audio ?? 'audio', init);
    this.#connection.addTransceiver(video ?? 'video', { ...init, sendEncodings: ENCODINGS });
    this.#tile(id).show(this.#own);
  }

  #showPeople(people) {
    const here = new Set(people.map(({ id }) => id));
    for (const [id, tile] of this.#tiles) {
      if (here.has(id)) continue;
      tile.remove();
      this.#tiles.delete(id);
    }
    showHint(here.size < 2 ? 'You are alone. Open this page in another tab, and join the same room.' : '');
    for (const { id, name } of people) this.#tile(id).showName(id === this.#id ? `${name} (you)` : name);
  }

  #tile(id) {
    let tile = this.#tiles.get(id);
    if (tile === undefined) {
      tile = new Tile(id === this.#id, (rid) => this.#say({ watch: id, rid }));
      this.#tiles.set(id, tile);
    }
    return tile;
  }

  // --- negotiation: W3C's "perfect negotiation", whose impolite end this is ---

  async #offer() {
    this.#makesOffer = true;
    try {
      await this.#connection.setLocalDescription();
      this.#say({ signal: { description: this.#connection.localDescription } });
    } finally {
      this.#makesOffer = false;
    }
  }

  async #take({ description, candidate }) {
    if (candidate !== undefined) {
      // Of an offer that was passed over there is nothing to be added to.
      await this.#connection.addIceCandidate(candidate).catch(() => undefined);
      return;
    }
    const isOffer = description.type === 'offer';
    if (isOffer && (this.#makesOffer || this.#connection.signalingState !== 'stable')) return;
    await this.#connection.setRemoteDescription(description);
    if (!isOffer) return;
    await this.#connection.setLocalDescription();
    this.#say({ signal: { description: this.#connection.localDescription } });
  }

  #say(message) {
    this.#sending = this.#sending.then(async () => {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify(message);
      const response = await fetch(`members/${this.#id}`, { method: 'POST', headers, body });
      if (!response.ok) console.error(await response.text());
    });
  }

  // --- what comes ---

  async #measure() {
    for (const { receiver, stopped } of this.#connection.getTransceivers()) {
      if (stopped || receiver.track.kind !== 'video') continue;
      const tile = [...this.#tiles.values()].find(({ track }) => track === receiver.track);
      if (tile === undefined) continue;
      const report = await receiver.getStats();
      tile.showStats([...report.values()].find(({ type }) => type === 'inbound-rtp'));
    }
  }
}

/** What is seen of one person. */
class Tile {
  /** The picture's, of somebody else. */
  track;
  #figure = byId('person').content.firstElementChild.cloneNode(true);
  #video = this.#figure.querySelector('video');
  #layers = this.#figure.querySelector('.layers');
  #received = this.#figure.querySelector('.received');
  #onChoose;
  #layer;
  /** Said behind what is received, where that is not what was chosen. */
  #wish = '';
  #frames = 0;
  #measuredAt = performance.now();

  constructor(isOwn, onChoose) {
    this.#onChoose = onChoose;
    this.#video.muted = isOwn;
    this.#layers.hidden = isOwn;
    this.#received.hidden = isOwn;
    byId('people').append(this.#figure);
  }

  remove() {
    this.#figure.remove();
  }

  showName(name) {
    this.#figure.querySelector('.name').textContent = name;
    this.#figure.dataset.name = name;
  }

  show(stream, track) {
    if (this.#video.srcObject !== stream) this.#video.srcObject = stream;
    if (track?.kind === 'video') this.track = track;
  }

  /** @param layers `rids`, small to large, which of them are `heard`, which is `chosen`, which `received`; null for none */
  showLayers({ rids, heard, chosen, received }) {
    this.#layer = received;
    this.#wish = chosen === received ? '' : `, waiting for ${nameOf(chosen)}`;
    this.#figure.dataset.received = received ?? 'none';
    const buttons = [null, ...rids].map((rid) => {
      const button = Object.assign(document.createElement('button'), {
        type: 'button',
        textContent: nameOf(rid),
        onclick: () => this.#onChoose(rid),
      });
      button.setAttribute('aria-pressed', String(rid === chosen));
      button.dataset.rid = rid ?? 'off';
      const isHeard = rid === null || heard.includes(rid);
      button.dataset.heard = String(isHeard);
      if (!isHeard) button.title = 'not sent now: the browser leaves a layer out when its line is too slow';
      return button;
    });
    this.#layers.replaceChildren(...buttons);
  }

  showStats({ framesDecoded = 0, frameWidth = 0, frameHeight = 0 } = {}) {
    const now = performance.now();
    const rate = Math.max(0, framesDecoded - this.#frames) / ((now - this.#measuredAt) / 1000);
    this.#frames = framesDecoded;
    this.#measuredAt = now;
    this.#figure.dataset.width = frameWidth;
    this.#figure.dataset.rate = rate;
    this.#received.textContent = this.#layer
      ? `received: ${nameOf(this.#layer)}, ${frameWidth}×${frameHeight}, ${rate.toFixed(0)} fps${this.#wish}`
      : `received: no picture${this.#wish}`;
  }
}

function nameOf(rid) {
  return rid === null ? 'off' : (LAYER_NAMES[rid] ?? rid);
}

function showHint(text) {
  byId('hint').textContent = text;
  byId('hint').hidden = text === '';
}

function showState(state, text) {
  byId('state').dataset.state = state;
  byId('state').textContent = text;
  joinForm.hidden = current !== undefined;
  byId('leave').hidden = current === undefined;
}

/** The camera and the microphone, or what there is of them. */
async function devices() {
  for (const constraints of [{ audio: true, video: PICTURE }, { audio: true }, { video: PICTURE }]) {
    try {
      return await navigator.mediaDevices.getUserMedia(constraints);
    } catch {
      // Who has none of these, or does not lend them, can watch.
    }
  }
  return new MediaStream();
}

async function join(room, name) {
  current?.close();
  showState('new', 'looking for a camera');
  current = new Membership(room, name, await devices());
  showState('new', 'joining');
}

joinForm.addEventListener('submit', (event) => {
  event.preventDefault();
  void join(joinForm.elements.room.value, joinForm.elements.name.value);
});
byId('leave').addEventListener('click', () => current?.close());
window.addEventListener('pagehide', () => current?.close());

const asked = new URLSearchParams(location.search);
if (asked.has('room')) joinForm.elements.room.value = asked.get('room');
if (asked.has('name')) joinForm.elements.name.value = asked.get('name');
if (asked.has('room') && asked.has('name')) await join(asked.get('room'), asked.get('name'));
