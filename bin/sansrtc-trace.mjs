#!/usr/bin/env node
import { traceCli } from '../dist/cli/index.js';

// Whoever reads our output may stop early: `sansrtc-trace summary FILE | head`.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
});
process.exitCode = traceCli(process.argv.slice(2), undefined, 'sansrtc-trace');
