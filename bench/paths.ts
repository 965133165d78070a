import { Path, megabits, quantile } from '../test/sctp/path.ts';
const [,, name = 'bbr', dur='15000'] = process.argv;
for (const loss of [0, 0.01, 0.03]) for (const roundTrip of [2, 20, 50, 100, 200]) {
  const path = new Path({ rate: 100, roundTrip, loss });
  const f = path.add({ congestion: name as 'bbr' });
  path.run(5000); path.resetFigures();
  const c0 = process.cpuUsage();
  path.run(+dur);
  const i = f.sender.inspect() as any;
  const r = f.receiver.inspect() as any;
  const cpu = process.cpuUsage(c0);
  console.log(name, loss, roundTrip, megabits(f.delivered, +dur).toFixed(1), 'wait', (path.waits.reduce((a,b)=>a+b,0)/path.waits.length).toFixed(1), quantile(path.waits, .95).toFixed(1), 'drops', path.drops, 'cpu us/pkt', ((cpu.user+cpu.system)/path.waits.length).toFixed(1), 'rtx', i.counters['retransmitted-chunks'], 'T3', i.counters['retransmission-timeouts'], 'tlp', i.counters['tail-loss-probes'], 'full', r.counters['receive-window-full'], 'dup', r.counters['duplicate-tsn'], JSON.stringify(i.send.congestion));
}
