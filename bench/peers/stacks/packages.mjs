/**
 * The stacks: sansrtc, which comes from a checkout, and the others with the versions that are installed. `file` uses the stack
 * (stack.d.ts); `entries` are what its users import, `bundles` are to be bundled, where it can be.
 */
export const PACKAGES = [
  {
    name: 'sansrtc',
    file: 'sansrtc.mjs',
    entries: { main: ['sansrtc'], server: ['sansrtc', 'sansrtc/node', 'sansrtc/crypto/node'] },
    bundles: {
      whole: { contents: `export { Rtc } from 'sansrtc'`, platform: 'browser' },
      stun: { contents: `export * from 'sansrtc/stun'`, platform: 'browser' },
      sdp: { contents: `export * from 'sansrtc/sdp'`, platform: 'browser' },
    },
  },
  {
    name: 'node-datachannel',
    version: '0.33.4',
    file: 'node-datachannel.mjs',
    entries: { main: ['node-datachannel'], server: ['node-datachannel'] },
  },
  {
    name: 'werift',
    version: '0.25.2',
    file: 'werift.mjs',
    entries: { main: ['werift'], server: ['werift'] },
    bundles: { whole: { contents: `export { RTCPeerConnection } from 'werift'`, platform: 'node' } },
  },
  {
    name: '@roamhq/wrtc',
    version: '0.10.0',
    file: 'roamhq-wrtc.mjs',
    entries: { main: ['@roamhq/wrtc'], server: ['@roamhq/wrtc'] },
  },
];
