/** A question with its answer. */
export interface Pair {
  question: string;
  answer: string;
}

/** Of lines without space at either end, and whatever else ends a line may stand in one: nothing is tried twice however long it is. */
const QUESTION = /^(?:[-*]\s*)?(?:\*\*)?(?:q|question|f|frage|p|pregunta)\s*(?:\d+\s*)?[:.)]\s*(?:\*\*)?\s*(.+)$/is;
const ANSWER = /^(?:[-*]\s*)?(?:\*\*)?(?:a|answer|antwort|r|réponse|respuesta)\s*(?:\d+\s*)?[:.)]\s*(?:\*\*)?\s*(.*)$/is;
const HEADING = /^(?:#{1,6}\s+|\*\*)(.+)$/s;

const unbold = (line: string): string => (line.endsWith('**') ? line.slice(0, -2).trimEnd() : line);

function questionIn(line: string): string | undefined {
  const bare = unbold(line);
  return QUESTION.exec(bare)?.[1] ?? (bare.endsWith('?') ? HEADING.exec(bare)?.[1] : undefined);
}

/**
 * The pairs of an FAQ as people write them: `Q: …` and `A: …` (also in German, French and Spanish), or headings that end with a question mark and what stands
 * below. Empty where the text is not one.
 */
export function pairsOf(text: string): Pair[] {
  const pairs: Pair[] = [];
  let current: Pair | null = null;
  for (const given of text.split('\n')) {
    const line = given.trim();
    const question = questionIn(line);
    if (question) {
      if (current?.answer.trim()) pairs.push(current);
      current = { question: question.trim(), answer: '' };
    } else if (current && /^#{1,6}\s/.test(line)) {
      if (current.answer.trim()) pairs.push(current);
      current = null;
    } else if (current) current.answer += `${ANSWER.exec(line)?.[1] ?? given}\n`;
  }
  if (current?.answer.trim()) pairs.push(current);
  return pairs.map(({ question, answer }) => ({ question, answer: answer.trim() }));
}
