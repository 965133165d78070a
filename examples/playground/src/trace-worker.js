/* global self */
/** Reads trace files where it holds nobody up: a file in, progress and then what it holds, or why it cannot be read, out. */
import { TraceRefusal } from 'sansrtc/trace';
import { readTraceFile } from './trace-model.js';

self.onmessage = async ({ data: file }) => {
  try {
    const read = readTraceFile(await file.text(), (share) => self.postMessage({ type: 'progress', share }));
    const { transfer, ...rest } = read;
    self.postMessage({ type: 'read', ...rest }, transfer);
  } catch (error) {
    const isRefusal = error instanceof TraceRefusal;
    self.postMessage({ type: 'refused', message: error.message, line: isRefusal ? error.line : undefined });
  }
};
