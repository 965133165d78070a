/**
 * What a server of the bench is told by its parent process, and what it answers.
 *
 *   { id, role: 'publisher' | 'subscriber', kind, sdp }   → { id, answer }, and { id, candidate } for what the answer lacks
 *   { id, measure: true }                                 → { id, cpu, forwarded }: microseconds of the process, packets, so far
 */
export function serve({ answer }) {
  let forwarded = 0;
  const onForwarded = (isSent) => {
    if (isSent) forwarded++;
  };
  process.on('message', async ({ id, role, kind, sdp, measure }) => {
    if (measure) {
      const { user, system } = process.cpuUsage();
      process.send({ id, cpu: user + system, forwarded });
      return;
    }
    const onCandidate = (candidate) => process.send({ id, candidate });
    process.send({ id, answer: await answer({ role, kind, sdp, onForwarded, onCandidate }) });
  });
  process.send({ ready: true });
}
