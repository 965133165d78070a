/* global window */
/**
 * A client of WHIP (RFC 9725) and WHEP in a page: POST of an offer, PATCH for candidates as they are found and for restarts of ICE,
 * DELETE at the end.
 */
const FRAGMENT = 'application/trickle-ice-sdpfrag';

export class HttpSession {
  #peer;
  #location;
  #etag;
  /** Lines that the server has not been told of. */
  #candidates = [];
  #isPatching = false;

  /**
   * Offers what `peer` has transceivers for, and takes the answer.
   * @param token what the server wants of a publisher
   */
  static async start(peer, endpoint, token) {
    const session = new HttpSession(peer);
    await peer.setLocalDescription();
    const headers = { 'content-type': 'application/sdp' };
    if (token) headers.authorization = `Bearer ${token}`;
    const response = await fetch(endpoint, { method: 'POST', headers, body: peer.localDescription.sdp });
    const sdp = await response.text();
    if (response.status !== 201) throw new Error(`${response.status}: ${sdp}`);
    session.#location = new URL(response.headers.get('location'), response.url);
    session.#etag = response.headers.get('etag');
    window.addEventListener('pagehide', () => session.stop());
    await peer.setRemoteDescription({ type: 'answer', sdp });
    await session.#patchCandidates();
    return session;
  }

  constructor(peer) {
    this.#peer = peer;
    peer.addEventListener('icecandidate', ({ candidate }) => {
      if (candidate?.candidate) this.#candidates.push(candidate.candidate);
      void this.#patchCandidates();
    });
  }

  /** New credentials, new candidates, and the same media. */
  async restartIce() {
    const peer = this.#peer;
    const answer = peer.remoteDescription.sdp;
    peer.restartIce();
    await peer.setLocalDescription();
    while (peer.iceGatheringState !== 'complete')
      await new Promise((resolve) =>
        peer.addEventListener('icegatheringstatechange', resolve, { once: true }),
      );
    // They are in the description, all of them.
    this.#candidates = [];
    const { sdp } = peer.localDescription;
    const response = await this.#patch(fragmentOf(sdp, candidatesOf(sdp)), '*');
    const fragment = await response.text();
    if (response.status !== 200) throw new Error(`${response.status}: ${fragment}`);
    this.#etag = response.headers.get('etag');
    await peer.setRemoteDescription({ type: 'answer', sdp: restarted(answer, fragment) });
  }

  /** Also while the page goes away. */
  async stop() {
    this.#peer.close();
    await fetch(this.#location, { method: 'DELETE', keepalive: true });
  }

  /** All that wait in one request, and one request at a time. */
  async #patchCandidates() {
    const isEarly = this.#location === undefined;
    if (isEarly || this.#isPatching || this.#candidates.length === 0) return;
    this.#isPatching = true;
    const fragment = fragmentOf(this.#peer.localDescription.sdp, this.#candidates.splice(0));
    await this.#patch(fragment, this.#etag);
    this.#isPatching = false;
    await this.#patchCandidates();
  }

  #patch(body, tag) {
    const headers = { 'content-type': FRAGMENT, 'if-match': tag };
    return fetch(this.#location, { method: 'PATCH', headers, body });
  }
}

/** Of its first section alone: all are bundled, and have their candidates from there. */
function fragmentOf(sdp, candidates) {
  const [session, section] = sdp.split(/^(?=m=)/m);
  const lines = [
    ...session.split('\r\n').filter((line) => line.startsWith('a=group:BUNDLE')),
    ...section.split('\r\n').filter((line) => /^(m=|a=mid:|a=ice-(ufrag|pwd|options):)/.test(line)),
    ...candidates.map((candidate) => `a=${candidate}`),
  ];
  return `${lines.join('\r\n')}\r\n`;
}

function candidatesOf(sdp) {
  return [...sdp.matchAll(/^a=(candidate:.*)$/gm)].map(([, candidate]) => candidate);
}

/** The same answer as before with the server's new credentials and candidates. */
function restarted(answer, fragment) {
  const lines = answer.split('\r\n').filter((line) => !/^a=(candidate:|end-of-candidates)/.test(line));
  const value = (name) => new RegExp(`^a=${name}:.*$`, 'm').exec(fragment)[0];
  const renewed = lines.map((line) => {
    const [, name] = /^a=(ice-ufrag|ice-pwd):/.exec(line) ?? [];
    return name === undefined ? line : value(name);
  });
  const behindFirst = renewed.findIndex((line) => line.startsWith('m=')) + 1;
  renewed.splice(behindFirst + 1, 0, ...candidatesOf(fragment).map((candidate) => `a=${candidate}`));
  return renewed.join('\r\n');
}
