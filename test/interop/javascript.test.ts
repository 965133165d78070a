/** Two stacks of Node: libdatachannel behind node-datachannel, and werift. npm brings them, into folders of their own. */
import { describeForeign } from './availability.ts';
import type { Installation } from './installed.ts';
import { fromNpm } from './installed.ts';
import { startJavaScript } from './javascript-peer.ts';
import { describeTrials } from './trials.ts';

/** The newest werift that this Node may run: from 0.25 on it wants 22. */
const WERIFT = Number(process.versions.node.split('.')[0]) >= 22 ? '0.25.2' : '0.24.4';

function describeStack(name: string, installation: Installation, sendsEmpty: boolean): void {
  describeForeign(name, installation.missing, () => {
    describeTrials({ name, start: () => startJavaScript(name, installation), sendsEmpty });
  });
}

describeStack('node-datachannel', fromNpm('node-datachannel', '0.33.4'), true);
// It counts an empty message of its own and sends no chunk for it.
describeStack('werift', fromNpm('werift', WERIFT), false);
