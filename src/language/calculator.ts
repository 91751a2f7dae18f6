const MAX_LENGTH = 200;
const MAX_DEPTH = 50;

/** Reads and works out + - * / ^ % and brackets; null for what is no sum. */
export function calculate(expression: string): number | null {
  const text = expression.replace(/[\s,_]/g, '').replace(/[×x]/gi, '*').replace(/[÷:]/g, '/').replace(/[−–]/g, '-');
  if (!text || text.length > MAX_LENGTH) return null;
  let at = 0;
  let depth = 0;
  const sum = (): number => {
    let value = product();
    while (text[at] === '+' || text[at] === '-') value = text[at++] === '+' ? value + product() : value - product();
    return value;
  };
  const product = (): number => {
    let value = power();
    while (text[at] === '*' || text[at] === '/' || text[at] === '%') {
      const operator = text[at++];
      const other = power();
      value = operator === '*' ? value * other : operator === '/' ? value / other : value % other;
    }
    return value;
  };
  const power = (): number => {
    if (++depth > MAX_DEPTH) return NaN;
    const negative = text[at] === '-';
    if (negative || text[at] === '+') at++;
    let value = single();
    if (text[at] === '^') {
      at++;
      value **= power();
    }
    depth--;
    return negative ? -value : value;
  };
  const single = (): number => {
    if (text[at] === '(') {
      at++;
      const value = sum();
      return text[at++] === ')' ? value : NaN;
    }
    const digits = /^\d+(\.\d+)?|^\.\d+/.exec(text.slice(at))?.[0];
    if (!digits) return NaN;
    at += digits.length;
    return Number(digits);
  };
  const value = sum();
  return at === text.length && Number.isFinite(value) ? Number(value.toPrecision(12)) : null;
}

const MAX_SPACED = 2 * MAX_LENGTH;
/** What can stand in a sum, as long as it goes on. */
const PLACES = /[-+*/×÷^%x−–\d\s.,()]+/gi;
const SUM = /[-(]*\d[\d\s.,()]*(?:[-+*/×÷^%x−–][-(\s]*\d[\d\s.,()]*)+/i;

/** The sum in a question (`what is 3 * (4 + 5)?`), or null. Where there is more of it than a sum may have, it is not looked at: a text may be nothing but brackets. */
export function sumIn(question: string): string | null {
  const found = (question.match(PLACES) ?? []).flatMap((place) => (place.length > MAX_SPACED ? [] : (SUM.exec(place)?.[0].trim() ?? [])))[0]?.replace(/[.,]+$/, '');
  return found !== undefined && calculate(found) !== null ? found : null;
}
