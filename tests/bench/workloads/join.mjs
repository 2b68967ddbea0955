// Everybody comes at once: sixteen into one room, and four into each of two hundred.
import { generate } from '../lib/generate.mjs';

export const one = {
  name: 'one',
  run: (system, { rounds, warm = 3, members = 16, seconds = 20 }) => generate(system, {
    workload: 'join', members, rooms: 1, rounds, warm, seconds,
  }),
};

export const many = {
  name: 'many',
  run: (system, { rounds, warm = 2, rooms = 200, members = 4, seconds = 20 }) => generate(system, {
    workload: 'join', members, rooms, rounds, warm, seconds,
  }),
};
