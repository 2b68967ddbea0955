// One sends, one waits: one message at a time with a pause, and at 500 messages a second.
import { generate } from '../lib/generate.mjs';

const MESSAGE_BYTES = 1000;

export const delivery = {
  name: 'delivery',
  run: (system, { samples, seconds }) => generate(system, {
    workload: 'delivery', samples, seconds, warm: Math.min(samples, 500), size: MESSAGE_BYTES,
  }),
};

export const rate = {
  name: 'rate',
  run: (system, { samples, seconds }) => generate(system, {
    workload: 'delivery', samples, seconds, rate: 500, warm: Math.min(samples, 250), size: MESSAGE_BYTES,
  }),
};
