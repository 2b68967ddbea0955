// How high each person's pictures stand on the screen, and whom that is told. A page that nobody
// sees asks for none.

/** @typedef {import('../klatch/index.js').Person} Person */
/** @typedef {{camera?: number, screen?: number}} Heights in the screen's own pixels, 0 for not at all */

export class ShownSizes {
  #show;
  /** @type {Map<Person, Heights>} */
  #heights = new Map();

  /** @param {(person: Person, heights: Heights) => void} show tells the person's page */
  constructor(show) {
    this.#show = show;
  }

  /**
   * @param {Person} person @param {'camera' | 'screen'} kind
   * @returns {(heightPx: number) => void} for the tile to say how high it stands
   */
  of(person, kind) {
    return (height) => {
      const heights = { ...this.#heights.get(person), [kind]: height };
      // While there is none, the next is asked for as large as the page, lest it waits to be measured.
      if (kind === 'screen' && person.screen === null) delete heights.screen;
      this.#heights.set(person, heights);
      this.#tell(person, heights);
    };
  }

  tellAll() {
    for (const [person, heights] of this.#heights) this.#tell(person, heights);
  }

  /** @param {Person} person */
  forget(person) {
    this.#heights.delete(person);
  }

  /** @param {Person} person @param {Heights} heights */
  #tell(person, { camera, screen = innerHeight * devicePixelRatio }) {
    this.#show(person, document.hidden ? { camera: 0, screen: 0 } : { camera, screen });
  }
}
