/* mesh: how well everybody reaches everybody, from what each of them says, and whose
 * the trouble is. Pure. */

/** @typedef {'good' | 'fair' | 'bad' | 'none'} Grade */
/** @typedef {{from: string, to: string, state: string, loss: number | null, rttMs: number | null}} Link what one end says */
/** @typedef {{ends: [string, string], grade: Grade, loss: number | null, rttMs: number | null}} Pair */
/**
 * @typedef {{kind: 'alone' | 'good' | 'you' | 'many'} | {kind: 'them', who: string}
 *   | {kind: 'pair', who: string} | {kind: 'other', who: string, other: string}} Verdict
 */

/** @type {readonly Grade[]} best first */
const GRADES = ['good', 'fair', 'bad', 'none'];
const FAIR = { loss: 0.02, rttMs: 250 };
const BAD = { loss: 0.05, rttMs: 500 };

/**
 * @param {Pick<Link, 'state' | 'loss' | 'rttMs'>} link
 * @returns {Grade}
 */
export function gradeOf({ state, loss, rttMs }) {
  if (state !== 'connected') return 'none';
  const over = (/** @type {{loss: number, rttMs: number}} */ most) => (loss ?? 0) > most.loss || (rttMs ?? 0) > most.rttMs;
  return over(BAD) ? 'bad' : over(FAIR) ? 'fair' : 'good';
}

/**
 * One for each two, with the worse of what both say.
 * @param {Link[]} links
 * @returns {Pair[]}
 */
export function pairsOf(links) {
  /** @type {Map<string, Pair>} */
  const pairs = new Map();
  for (const link of links) {
    const ends = /** @type {[string, string]} */ ([link.from, link.to].sort());
    const key = JSON.stringify(ends);
    const grade = gradeOf(link);
    const known = pairs.get(key);
    if (!known) {
      pairs.set(key, { ends, grade, loss: link.loss, rttMs: link.rttMs });
      continue;
    }
    if (GRADES.indexOf(grade) > GRADES.indexOf(known.grade)) known.grade = grade;
    known.loss = greater(known.loss, link.loss);
    known.rttMs = greater(known.rttMs, link.rttMs);
  }
  return [...pairs.values()];
}

/**
 * @param {number | null} a
 * @param {number | null} b
 */
function greater(a, b) {
  return a === null ? b : b === null ? a : Math.max(a, b);
}

/**
 * @param {Pair[]} pairs
 * @param {string} self
 * @returns {Verdict}
 */
export function verdictOf(pairs, self) {
  if (!pairs.some(({ ends }) => ends.includes(self))) return { kind: 'alone' };
  const weak = pairs.filter(({ grade }) => grade === 'bad' || grade === 'none');
  const [first] = weak;
  if (!first) return { kind: 'good' };
  if (weak.length === 1) {
    const [who, other] = first.ends;
    if (who !== self && other !== self) return { kind: 'other', who, other };
    return { kind: 'pair', who: who === self ? other : who };
  }
  // Who is in every weak pair is what they have in common.
  const common = first.ends.filter((end) => weak.every(({ ends }) => ends.includes(end)));
  const [who] = common;
  if (who === undefined) return { kind: 'many' };
  return who === self ? { kind: 'you' } : { kind: 'them', who };
}
