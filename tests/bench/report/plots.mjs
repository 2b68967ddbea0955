// The plots, drawn by Vega-Lite without a browser.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { OUT, PACKAGES } from '../lib/paths.mjs';
import { figures } from './figures.mjs';

const FOUND = 'build/vega.module.js';
const WIDTH = 460;

const load = (name, file) => import(pathToFileURL(path.join(PACKAGES, 'node_modules', name, file)).href);

const ours = { condition: { test: "datum.system == 'Klatch'", value: '#c2410c' }, value: '#64748b' };
const systems = { field: 'system', type: 'nominal', title: null, sort: null, axis: { labelLimit: 380 } };

function deliverySpec(all) {
  const values = all.flatMap((r) => ['p50', 'p95', 'p99'].map((which) => ({
    system: r.short, which, ms: r.delivery[which],
  }))).filter(({ ms }) => ms !== undefined);
  return {
    title: 'From send to receive, one waiting receiver', width: WIDTH, data: { values },
    mark: { type: 'point', filled: true, size: 70 },
    encoding: {
      y: systems,
      x: { field: 'ms', type: 'quantitative', scale: { type: 'log' }, title: 'ms, logarithmic' },
      shape: { field: 'which', type: 'nominal', title: null },
      color: ours,
    },
  };
}

function barSpec(title, axis, values, log = false) {
  return {
    title, width: WIDTH, data: { values: values.filter(({ value }) => value !== undefined) },
    mark: log ? { type: 'point', filled: true, size: 80 } : { type: 'bar' },
    encoding: {
      y: systems,
      x: { field: 'value', type: 'quantitative', title: axis, ...(log ? { scale: { type: 'log' } } : {}) },
      color: ours,
    },
  };
}

function curveSpec(curves) {
  const values = curves.flatMap(({ name, points }) => points.map(({ size, cpu }) => ({ name, size, cpu })));
  return {
    title: 'Klatch: server CPU seconds per 1,000 messages while one thing grows', data: { values },
    facet: { field: 'name', type: 'nominal', title: null, columns: 3, sort: null },
    spec: {
      width: 220, height: 150, mark: { type: 'line', point: { color: '#c2410c' }, color: '#c2410c' },
      encoding: {
        x: { field: 'size', type: 'ordinal', title: null, axis: { labelAngle: 0, format: ',d' } },
        y: { field: 'cpu', type: 'quantitative', title: 'CPU s', scale: { zero: true } },
      },
    },
    columns: 3,
    resolve: { scale: { x: 'independent', y: 'independent' } },
  };
}

/** Writes the plots and returns their names. */
export async function plots(results) {
  const all = figures(results);
  const vega = await load('vega', FOUND);
  const lite = await load('vega-lite', 'build/index.js');
  const specs = {
    'delivery.svg': deliverySpec(all),
    'join.svg': barSpec('200 rooms of 4 people join at once', 'messages a second', all.map((r) => ({ system: r.short, value: r.many.perSecond }))),
    'cpu.svg': barSpec('200 rooms of 4 people join at once', 'server CPU seconds per 1,000 messages', all.map((r) => ({ system: r.short, value: r.many.cpu }))),
    'waiting.svg': barSpec('Memory for each that waits, all server processes', 'kB, logarithmic', all.map((r) => ({ system: r.short, value: r.waiting.kB ?? r.process })), true),
  };
  if (results.curves.length > 0) specs['curves.svg'] = curveSpec(results.curves);
  const names = [];
  for (const [name, spec] of Object.entries(specs)) {
    const compiled = lite.compile({ background: 'white', ...spec }).spec;
    const view = new vega.View(vega.parse(compiled), { renderer: 'none' });
    fs.writeFileSync(path.join(OUT, name), await view.toSVG());
    view.finalize();
    names.push(name);
  }
  return names;
}
