import { testTogether } from './lib/together.mjs';

testTogether(5);
