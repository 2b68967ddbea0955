import { testTogether } from '../browser/lib/together.mjs';

testTogether(100);
