/* global document, RTCPeerConnection, window, crypto, setInterval, clearInterval, Blob */
/**
 * The demo's page: a native RTCPeerConnection with two data channels, "echo" and "bulk", and what they measure.
 * The transfers' little protocol is described in transfers.mjs, the HTTP side in service.mjs.
 */
const CHUNK_SIZE = 64 * 1024;
const LOW_WATER = 256 * 1024;
const HIGH_WATER = 1024 * 1024;
const PING_EVERY = 250;
const INSPECT_EVERY = 500;
const CONNECT_WITHIN = 20_000;
const KEPT_ROUND_TRIPS = 300;

const byId = (id) => document.getElementById(id);
const echoForm = byId('echo');
const bulkForm = byId('bulk');
let current;

/** Everything that belongs to one connection; a new one replaces it whole. */
class Session {
  #connection = new RTCPeerConnection();
  #echo = this.#channel('echo');
  #bulk = this.#channel('bulk');
  #timers = [];
  #pings = new Map();
  #roundTrips = [];
  #transfer;
  /** The server's name for it, once it has answered. */
  #id;
  #isOver = false;
  /** Looks at the server in a row that nobody answered. */
  #unanswered = 0;

  async connect() {
    const started = performance.now();
    this.#connection.onconnectionstatechange = () => this.#heed(this.#connection.connectionState);
    this.#showState('connecting');
    this.#echo.onopen = () => {
      byId('connect-time').textContent = ms(performance.now() - started);
      this.#timers.push(setInterval(() => this.#ping(), PING_EVERY));
      enable(true);
    };
    this.#echo.onclose = () => void this.#ended('The server closed the connection.');
    this.#echo.onmessage = ({ data }) => this.#pong(data);
    this.#bulk.onmessage = ({ data }) => this.#transfer?.message(data);
    this.#bulk.onbufferedamountlow = () => this.#transfer?.pump?.();

    await this.#connection.setLocalDescription();
    // No need to wait for candidates: the server learns the tab's addresses from its connectivity checks.
    const response = await fetch('offer', {
      method: 'POST',
      body: this.#connection.localDescription.sdp,
      signal: AbortSignal.timeout(CONNECT_WITHIN),
    });
    if (!response.ok) throw new Error(await response.text());
    const { id, sdp } = await response.json();
    this.#id = id;
    byId('trace').disabled = false;
    await this.#connection.setRemoteDescription({ type: 'answer', sdp });
    this.#timers.push(setInterval(() => void this.#inspect(id), INSPECT_EVERY));
    this.#timers.push(
      setTimeout(() => {
        if (this.#echo.readyState === 'connecting')
          void this.#ended(
            `No connection within ${CONNECT_WITHIN / 1000} s: no UDP datagram came through, or too few.`,
          );
      }, CONNECT_WITHIN),
    );
  }

  /** The trace that the server keeps of this connection. */
  async downloadTrace() {
    const response = await fetch(`trace?id=${this.#id}`);
    if (!response.ok) throw new Error((await response.text()).trim());
    const link = document.createElement('a');
    link.href = window.URL.createObjectURL(new Blob([await response.text()]));
    link.download = `demo-${this.#id}.jsonl`;
    link.click();
    setTimeout(() => window.URL.revokeObjectURL(link.href), 1000);
  }

  /** What a state means for whoever waits. */
  #heed(state) {
    if (this.#isOver) return;
    this.#showState(state);
    if (state === 'failed') void this.#ended('The browser gave up: nothing it sent was answered.');
    else if (state === 'disconnected')
      explain(
        'Nothing has come from the server for some seconds. What you send waits; the connection may come back.',
      );
    else explain('');
  }

  /** It is over. The server knows more than the page, if it is still there. */
  async #ended(what) {
    if (this.#isOver) return;
    this.#isOver = true;
    const reason = this.#id === undefined ? undefined : await reasonOf(this.#id);
    if (current === this) fail(this, new Error([what, reason].filter(Boolean).join(' ')));
    else this.close();
  }

  close() {
    this.#isOver = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#connection.close();
    if (current === this) {
      if (this.#transfer !== undefined)
        byId('bulk-result').textContent = 'Closed before the transfer was complete.';
      enable(false);
      this.#showState('closed');
    }
  }

  say(text) {
    const key = `${performance.now()} ${text}`;
    this.#pings.set(key, performance.now());
    this.#echo.send(key);
  }

  put(bytes) {
    const data = new Uint8Array(bytes);
    let sent = 0;
    const pump = () => {
      while (sent < bytes && this.#bulk.bufferedAmount < HIGH_WATER) {
        const chunk = crypto.getRandomValues(data.subarray(sent, sent + CHUNK_SIZE));
        this.#bulk.send(chunk);
        sent += chunk.length;
      }
      showProgress((sent - this.#bulk.bufferedAmount) / bytes);
    };
    const message = async (text) => {
      const { sha256, milliseconds } = JSON.parse(text);
      await this.#finish('to the server', bytes, milliseconds, data, sha256);
    };
    this.#begin({ pump, message });
    this.#bulk.send(JSON.stringify({ type: 'put', bytes }));
    pump();
  }

  get(bytes) {
    const started = performance.now();
    const data = new Uint8Array(bytes);
    let received = 0;
    let milliseconds = 0;
    const message = async (part) => {
      if (typeof part === 'string') {
        await this.#finish('from the server', bytes, milliseconds, data, JSON.parse(part).sha256);
        return;
      }
      data.set(new Uint8Array(part), received);
      received += part.byteLength;
      milliseconds = performance.now() - started;
      showProgress(received / bytes);
    };
    this.#begin({ message });
    this.#bulk.send(JSON.stringify({ type: 'get', bytes }));
  }

  #begin(transfer) {
    this.#transfer = transfer;
    byId('bulk-result').textContent = 'Under way …';
    showProgress(0);
    enable(true, true);
  }

  async #finish(direction, bytes, milliseconds, data, sha256) {
    this.#transfer = undefined;
    const rate = (bytes / 1e6 / (milliseconds / 1000)).toFixed(1);
    const verdict = (await hexSha256(data)) === sha256 ? 'SHA-256 equal' : 'SHA-256 DIFFERS';
    byId('bulk-result').textContent =
      `${bytes / 2 ** 20} MiB ${direction} in ${ms(milliseconds)}: ${rate} MB/s, ${verdict}`;
    showProgress(1);
    enable(true);
  }

  #channel(label) {
    const channel = this.#connection.createDataChannel(label);
    channel.binaryType = 'arraybuffer';
    channel.bufferedAmountLowThreshold = LOW_WATER;
    return channel;
  }

  #ping() {
    if (echoForm.elements.repeat.checked && !document.hidden) this.say('');
  }

  #pong(key) {
    const sentAt = this.#pings.get(key);
    if (sentAt === undefined) return;
    this.#pings.delete(key);
    this.#roundTrips.push(performance.now() - sentAt);
    if (this.#roundTrips.length > KEPT_ROUND_TRIPS) this.#roundTrips.shift();
    const text = key.slice(key.indexOf(' ') + 1);
    if (text !== '') byId('echo-answer').textContent = `“${text}” came back`;
    showRoundTrips(this.#roundTrips);
  }

  async #inspect(id) {
    const response = await fetch(`inspect?id=${id}`).catch(() => undefined);
    if (current !== this || this.#isOver) return;
    if (response?.ok) showInspection(await response.json());
    this.#unanswered = response === undefined ? this.#unanswered + 1 : 0;
    isServerGone(this.#unanswered > 0);
    if (this.#unanswered > 1)
      void this.#ended('The server is gone: its page answers no more. Start it again with “npm run demo”.');
    else if (response?.status === 404)
      void this.#ended('The server was started anew and knows nothing of this connection.');
  }

  #showState(state) {
    byId('state').textContent = state;
    byId('state').dataset.state = state;
  }
}

async function connect() {
  current?.close();
  const session = new Session();
  current = session;
  explain('');
  byId('trace').disabled = true;
  try {
    await session.connect();
    isServerGone(false);
  } catch (error) {
    isServerGone(error instanceof TypeError);
    fail(session, new Error(inWords(error)));
  }
}

/** What `fetch` and the browser's own errors mean here. */
function inWords(error) {
  if (error.name === 'TimeoutError')
    return `The server did not answer the offer within ${CONNECT_WITHIN / 1000} s.`;
  if (error instanceof TypeError)
    return 'The server cannot be reached. Is it still running? Start it with “npm run demo”, then connect again.';
  return `The server refused the offer: ${error.message.trim()}`;
}

/** Why the server's end is over, in a sentence; `undefined` if it is not, or says nothing. */
async function reasonOf(id) {
  const response = await fetch(`inspect?id=${id}`).catch(() => undefined);
  if (!response?.ok) return undefined;
  const inspection = await response.json();
  showInspection(inspection);
  const { closed, connectionState, ice, dtls } = inspection;
  if (closed === undefined)
    return `The server is still at it: ${connectionState}, ICE ${ice.state}, DTLS ${dtls?.state ?? 'not begun'}.`;
  const deadline = closed.gate === undefined ? '' : `, deadline ${closed.gate} after ${ms(closed.elapsed)}`;
  return `The server says: ${closed.message} (${closed.code}${deadline}).`;
}

function fail(session, error) {
  session.close();
  byId('state').textContent = 'failed';
  byId('state').dataset.state = 'failed';
  explain(error.message);
}

function explain(text) {
  if (byId('reason').textContent !== text) byId('reason').textContent = text;
}

/** What only the server can do waits for it. */
function isServerGone(isGone) {
  byId('loss').disabled = isGone;
  if (isGone) byId('trace').disabled = true;
}

function enable(open, busy = false) {
  for (const button of echoForm.querySelectorAll('button')) button.disabled = !open;
  echoForm.elements.text.disabled = !open;
  echoForm.elements.repeat.disabled = !open;
  bulkForm.elements.mebibytes.disabled = !open || busy;
  for (const button of bulkForm.querySelectorAll('button')) button.disabled = !open || busy;
}

function showProgress(fraction) {
  byId('bulk-progress').value = fraction;
}

function showRoundTrips(times) {
  const sorted = times.toSorted((a, b) => a - b);
  byId('rtt-last').textContent = ms(times.at(-1));
  byId('rtt-min').textContent = ms(sorted[0]);
  byId('rtt-median').textContent = ms(sorted[sorted.length >> 1]);
  byId('rtt-max').textContent = ms(sorted.at(-1));
  const step = 300 / (KEPT_ROUND_TRIPS - 1);
  const points = times.map(
    (time, i) => `${(i * step).toFixed(1)},${(39 - (38 * time) / sorted.at(-1)).toFixed(1)}`,
  );
  byId('rtt-chart').firstElementChild.setAttribute('points', points.join(' '));
}

function showInspection(inspection) {
  const pair = inspection.ice.selectedPair;
  if (pair) byId('pair').textContent = `${endpoint(pair.local)} ↔ ${endpoint(pair.remote)}`;
  byId('cipher').textContent = inspection.dtls?.dtlsCipher ?? '–';
  if (document.activeElement !== byId('loss')) showLoss(inspection.loss * 100);
  byId('inspect').textContent = JSON.stringify(inspection, null, 2);
}

function showLoss(percent) {
  const text = `${Math.round(percent)} %`;
  byId('loss').value = Math.round(percent);
  byId('loss').setAttribute('aria-valuetext', text);
  byId('loss-value').textContent = text;
}

async function setLoss() {
  const percent = byId('loss').valueAsNumber;
  showLoss(percent);
  await fetch('loss', { method: 'POST', body: String(percent) }).catch(() => isServerGone(true));
}

function endpoint({ type, address, port }) {
  return `${address}:${port} (${type})`;
}

async function hexSha256(data) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function ms(milliseconds) {
  return `${milliseconds.toFixed(milliseconds < 10 ? 2 : 0)} ms`;
}

echoForm.addEventListener('submit', (event) => {
  event.preventDefault();
  current?.say(echoForm.elements.text.value || 'hello');
  echoForm.elements.text.value = '';
});
bulkForm.addEventListener('submit', (event) => {
  event.preventDefault();
  const bytes = Number(bulkForm.elements.mebibytes.value) * 2 ** 20;
  if (event.submitter.name === 'put') current?.put(bytes);
  else current?.get(bytes);
});
byId('loss').addEventListener('input', () => void setLoss());
byId('trace').addEventListener('click', () => {
  current?.downloadTrace().catch((error) => explain(`No trace: ${error.message}`));
});
byId('reconnect').addEventListener('click', () => void connect());
window.addEventListener('pagehide', () => current?.close());

await connect();
