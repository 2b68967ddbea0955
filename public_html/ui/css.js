/**
 * A constructable style sheet from a template literal; such sheets need no leave of a
 * content security policy.
 * @param {TemplateStringsArray} strings @param {...(string | number)} values
 */
export function css(strings, ...values) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(String.raw({ raw: strings }, ...values));
  return sheet;
}
