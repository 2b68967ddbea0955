// The figures that table and plots show, out of the laps' raw results: medians over laps.

export function median(values) {
  const sorted = values.filter((value) => typeof value === 'number' && Number.isFinite(value)).sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const over = (runs, pick) => median((runs ?? []).map((run) => pick(run)));

const timesOf = (runs, name) => ({
  p50: over(runs, (run) => run[name]?.p50),
  p95: over(runs, (run) => run[name]?.p95),
  p99: over(runs, (run) => run[name]?.p99),
});

function joinOf(runs) {
  const perThousand = (run, what) => (run.rounds > 0 ? (run.usage[what] / (run.messages * run.rounds)) * 1000 : undefined);
  return {
    ms: over(runs, (run) => run.round_ms?.p50),
    p95: over(runs, (run) => run.round_ms?.p95),
    perSecond: over(runs, (run) => run.round_ms && (run.messages / run.round_ms.p50) * 1000),
    cpu: over(runs, (run) => perThousand(run, 'server_cpu_s')),
    ownCpu: over(runs, (run) => perThousand(run, 'own_cpu_s')),
    requests: over(runs, (run) => run.round_requests),
    share: over(runs, (run) => run.usage.generator_cpu_s / (run.usage.generator_cpu_s + run.usage.server_cpu_s)),
  };
}

function waitingOf(runs) {
  return {
    count: over(runs, (run) => run.waiters),
    kB: over(runs, (run) => run.pss_each / 1000),
    ownKB: over(runs, (run) => run.pss_own_each / 1000),
    idle: over(runs, (run) => (run.idle ? run.idle.server_cpu_s / run.idle.wall_s : undefined)),
    ...timesOf(runs, 'latency_ms'),
  };
}

export function talliesOf(laps) {
  const sum = { lost: 0, doubled: 0, disordered: 0, busy: 0 };
  for (const { tally } of Object.values(laps).flat()) {
    for (const what of Object.keys(sum)) sum[what] += tally?.[what] ?? 0;
  }
  return sum;
}

/** One row for each system. */
export function figures(results) {
  return Object.entries(results.systems).map(([name, { label, short, laps }]) => ({
    name,
    label,
    short,
    delivery: timesOf(laps.delivery, 'latency_ms'),
    rate: timesOf(laps.rate, 'latency_ms'),
    one: joinOf(laps.one),
    many: joinOf(laps.many),
    waiting: waitingOf(laps.waiting),
    waiting1000: waitingOf(laps.waiting1000 ?? laps.waiting),
    disk: waitingOf(laps.disk),
    empty: timesOf((laps.empty ?? []).map((run) => run.alone), 'latency_ms'),
    emptyRate: over(laps.empty, (run) => run.crowded.rate),
    emptyCpu: over(laps.empty, (run) => (run.crowded.usage.server_cpu_s / run.crowded.latency_ms.count) * 1000),
    cgi: Object.fromEntries(['empty', 'poll', 'send'].map((what) => [
      what, timesOf((laps.cgi ?? []).map((run) => run[what]), 'latency_ms'),
    ])),
    process: over(laps.process, (run) => run.bytes / 1000),
    tally: talliesOf(laps),
  }));
}
