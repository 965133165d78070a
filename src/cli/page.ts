/** The page of `sansrtc serve`: connects to the echo peer, sends what is typed, shows what comes back and how long it took. */

/** HTML, whole: no file beside it, no other host is asked. */
export const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>sansrtc echo</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 42rem; margin: 2rem auto; padding: 0 1rem; }
  form { display: flex; gap: .5rem; flex-wrap: wrap; }
  input, button { font: inherit; padding: .4rem .6rem; }
  input { flex: 1 1 12rem; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; min-height: 8rem; }
</style>
<main>
<h1>sansrtc echo</h1>
<p role="status" id="status">Connecting …</p>
<form id="form">
  <label for="text">Message</label>
  <input id="text" value="hello" autocomplete="off">
  <button disabled>Send</button>
</form>
<h2>What came back</h2>
<pre id="log" role="log" aria-label="What came back" tabindex="0"></pre>
</main>
<script type="module">
  const byId = (id) => document.getElementById(id);
  const say = (text) => { byId('status').textContent = text; };
  const log = (text) => { byId('log').textContent += text + '\\n'; };
  const button = document.querySelector('button');
  const peer = new RTCPeerConnection();
  const channel = peer.createDataChannel('echo');
  const sent = [];
  let session;

  channel.onopen = () => { say('Connected.'); button.disabled = false; };
  channel.onclose = () => { say('The connection has ended. Reload the page to connect again.'); button.disabled = true; };
  channel.onmessage = ({ data }) => {
    const at = sent.shift();
    log(data + '   ' + (performance.now() - at).toFixed(1) + ' ms');
  };
  peer.oniceconnectionstatechange = () => {
    if (peer.iceConnectionState === 'disconnected') say('No answer from the server for some seconds; waiting.');
    if (peer.iceConnectionState === 'connected') say('Connected.');
    if (peer.iceConnectionState === 'failed')
      say('No UDP path to the server. Does it listen on an address that this browser reaches (--host, --announce)?');
  };
  byId('form').onsubmit = (event) => {
    event.preventDefault();
    sent.push(performance.now());
    channel.send(byId('text').value);
  };
  addEventListener('pagehide', () => {
    if (session) fetch(session, { method: 'DELETE', keepalive: true });
    peer.close();
  });

  try {
    await peer.setLocalDescription();
    const response = await fetch('/echo', {
      method: 'POST',
      headers: { 'content-type': 'application/sdp' },
      body: peer.localDescription.sdp,
    });
    const body = await response.text();
    if (response.status !== 201) throw new Error('The server answered ' + response.status + ': ' + body);
    session = response.headers.get('location');
    await peer.setRemoteDescription({ type: 'answer', sdp: body });
  } catch (error) {
    say(error.message);
  }
</script>
</html>
`;
