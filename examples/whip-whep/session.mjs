/**
 * What WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep) have in common: an offer is answered once, and from then on HTTP carries
 * nothing but ICE. A session is told apart from what it was before a restart by its entity tag.
 */
import { randomUUID } from 'node:crypto';
import { RtcError } from 'sansrtc';
import { FRAGMENT_MEDIA_TYPE, fragmentCandidates, parseSdpFragment, writeSdpFragment } from 'sansrtc/sdp';

/** What a request is refused with. */
export class HttpError extends Error {
  constructor(status, message, headers = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** One connection, as HTTP sees it. */
export class Session {
  id = randomUUID();
  rtc;
  answer;
  /** Of the section that the candidates belong to. */
  #mid;
  #kind;
  #restarts = 0;

  /**
   * @param rtc a connection of the driver's; whoever made it closes it if this throws
   * @param choose is told of the offer, and says what becomes of its media
   */
  constructor(rtc, offer, choose) {
    this.rtc = rtc;
    try {
      const received = rtc.receiveOffer(offer);
      choose(received);
      this.answer = received.answer();
      this.#mid = received.mid;
      this.#kind = received.media.find(({ mid }) => mid === received.mid)?.kind ?? 'audio';
    } catch (error) {
      throw asHttpError(error);
    }
  }

  get etag() {
    return `"${this.id}.${this.#restarts}"`;
  }

  /**
   * A fragment of the client's: more candidates, or, if its credentials are new ones, a restart of ICE.
   * @returns status, headers and body of the response
   */
  patch(fragmentText, ifMatch) {
    if (ifMatch === undefined) throw new HttpError(428, 'If-Match, please');
    // The examples of the RFC have the asterisk in quotes, its text has not.
    const isAny = ifMatch === '*' || ifMatch === '"*"';
    if (!isAny && !ifMatch.split(/\s*,\s*/).includes(this.etag))
      throw new HttpError(412, 'ICE has been restarted since');
    const fragment = parseSdpFragment(fragmentText);
    if ('failed' in fragment) throw new HttpError(400, fragment.message);
    try {
      const isRestart = this.#restart(fragment.ice ?? fragment.media[0]?.ice);
      for (const candidate of fragmentCandidates(fragment)) this.rtc.addRemoteCandidate(candidate);
      return isRestart ? this.#restarted() : { status: 204 };
    } catch (error) {
      throw asHttpError(error);
    }
  }

  /** Does nothing for credentials that are known. @returns whether they were new */
  #restart(credentials) {
    if (credentials === undefined) return false;
    const before = this.rtc.localParameters.ice.usernameFragment;
    this.rtc.setRemoteIceParameters(credentials);
    return this.rtc.localParameters.ice.usernameFragment !== before;
  }

  #restarted() {
    this.#restarts++;
    const level = { iceOptions: [], endOfCandidates: false, lines: [] };
    const body = writeSdpFragment({
      ...level,
      bundles: [],
      ice: this.rtc.localParameters.ice,
      iceOptions: ['trickle'],
      media: [
        {
          ...level,
          kind: this.#kind,
          port: 9,
          portCount: undefined,
          protocol: 'UDP/TLS/RTP/SAVPF',
          formats: ['0'],
          mid: this.#mid,
          ice: undefined,
          candidates: this.rtc.localCandidates,
        },
      ],
    });
    return { status: 200, headers: { 'content-type': FRAGMENT_MEDIA_TYPE, etag: this.etag }, body };
  }
}

/** What the library refuses is up to the client, and says why. Everything else is a fault of this program. */
function asHttpError(error) {
  if (!(error instanceof RtcError)) return error;
  if (error.code === 'ERR_LIMIT') return new HttpError(429, error.message);
  // A good offer of what is of no use here, as codecs that nobody else has.
  return new HttpError(error.sdpCode === 'no-application-section' ? 422 : 400, error.message);
}
