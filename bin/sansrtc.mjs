#!/usr/bin/env node
import { cli } from '../dist/cli/index.js';

// Whoever reads our output may stop early: `sansrtc trace summary FILE | head`.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
});
process.exitCode = await cli(process.argv.slice(2));
