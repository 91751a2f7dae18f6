/** A question with its answer. */
export interface Pair {
  question: string;
  answer: string;
}

const QUESTION = /^\s*(?:[-*]\s*)?(?:\*\*)?(?:q|question|f|frage|p|pregunta)\s*\d*\s*[:.)]\s*(?:\*\*)?\s*(.+?)(?:\*\*)?\s*$/i;
const ANSWER = /^\s*(?:[-*]\s*)?(?:\*\*)?(?:a|answer|antwort|r|réponse|respuesta)\s*\d*\s*[:.)]\s*(?:\*\*)?\s*(.*)$/i;
const HEADING = /^\s*(?:#{1,6}\s+|\*\*)(.+?\?)\s*(?:\*\*)?\s*$/;

/**
 * The pairs of an FAQ as people write them: `Q: …` and `A: …` (also in German, French and Spanish), or headings that end with a question mark and what stands
 * below. Empty where the text is not one.
 */
export function pairsOf(text: string): Pair[] {
  const pairs: Pair[] = [];
  let current: Pair | null = null;
  for (const line of text.split('\n')) {
    const question = QUESTION.exec(line)?.[1] ?? HEADING.exec(line)?.[1];
    if (question) {
      if (current?.answer.trim()) pairs.push(current);
      current = { question: question.trim(), answer: '' };
    } else if (current && /^\s*#{1,6}\s/.test(line)) {
      if (current.answer.trim()) pairs.push(current);
      current = null;
    } else if (current) current.answer += `${ANSWER.exec(line)?.[1] ?? line}\n`;
  }
  if (current?.answer.trim()) pairs.push(current);
  return pairs.map(({ question, answer }) => ({ question, answer: answer.trim() }));
}
