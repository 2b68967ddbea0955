// What a run measures: the systems in their order, and how much of each workload.
import { floor, floorLibfcgi, klatch } from './systems/served.mjs';
import { nchan, php, socketioBehindNginx } from './systems/nginx.mjs';
import { peerserver, socketio, socketioPolling } from './systems/node.mjs';
import { python } from './systems/python.mjs';
import { cgi } from './systems/cgi.mjs';

export const SYSTEMS = [
  floor, floorLibfcgi, klatch, socketio, socketioBehindNginx, socketioPolling, peerserver, nchan, python, php,
];
export const CGI = cgi;

/** Under three minutes. */
const quick = {
  laps: 1,
  empty: { samples: 1500 },
  delivery: { samples: 1500, seconds: 4 },
  rate: { samples: 700, seconds: 3 },
  one: { rounds: 7, warm: 2, seconds: 8 },
  many: { rounds: 3, warm: 1, seconds: 10 },
  waiting: { waiters: 1000, idleSeconds: 3, samples: 800, seconds: 3 },
  waitingSystems: ['floor', 'klatch', 'socketio'],
  disk: { rooms: 1000, samples: 800, seconds: 3 },
  cgi: { samples: 300 },
  curves: null,
};

const full = {
  laps: 3,
  empty: { samples: 3000 },
  delivery: { samples: 3000, seconds: 8 },
  rate: { samples: 2500, seconds: 8 },
  one: { rounds: 15, warm: 3, seconds: 20 },
  many: { rounds: 6, warm: 2, seconds: 20 },
  waiting: { waiters: 10000, idleSeconds: 30, samples: 3000, seconds: 8 },
  waitingSystems: ['floor', 'libfcgi', 'klatch', 'socketio', 'socketio-polling', 'peerserver', 'nchan', 'python'],
  disk: { rooms: 10000, samples: 3000, seconds: 8 },
  cgi: { samples: 1000 },
  curves: { samples: 1500, seconds: 5 },
};

/** What is asked of a loop that looks every 100 ms. null: nothing. */
const slow = {
  quick: {
    delivery: { samples: 30, seconds: 4 }, rate: { samples: 300, seconds: 2 },
    one: { rounds: 1, warm: 0, seconds: 8 }, many: null,
  },
  full: {
    delivery: { samples: 300, seconds: 30 }, rate: { samples: 1000, seconds: 3 },
    one: { rounds: 1, warm: 0, seconds: 20 }, many: { rounds: 1, warm: 0, seconds: 20 },
  },
};

export function plan(isFull) {
  const chosen = isFull ? full : quick;
  const loop = isFull ? slow.full : slow.quick;
  return {
    ...chosen,
    of: (system, workload) => (system.name === 'php' ? loop[workload] : chosen[workload]),
  };
}
