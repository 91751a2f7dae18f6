import { detect } from 'tinyld';

/** Words that say little by themselves, of the languages that small talk speaks. Questions are left without them. */
const COMMON: Readonly<Record<string, ReadonlySet<string>>> = Object.fromEntries(
  Object.entries({
    en: "a about all also am an and any are as at be been but by can could did do does for from get had has have he her here him his how i if in into is it its just let like me more my no not of on or our out please she should so some tell than that the their them then there these they this those to too up us very was we were what when where which who whom why will with would you your im its whats",
    de: 'aber alle als also am an auch auf aus bei bin bis bist bitte da damit das dass dein deine dem den denn der des dich die dies diese dir doch du ein eine einem einen einer er es euer für gibt hab habe haben hat hatte ich ihm ihn ihr im in ist ja kann kannst können man mein meine mich mir mit muss nach nicht noch nur oder schon sein seine sich sie sind so über um und uns unser vom von vor war warum was wann welche wenn wer werden wie wieder will wir wird wo zu zum zur',
    fr: "à au aux avec bien ce ces cela cette ceux comme comment dans de des du elle en est et être eu il ils je la le les leur lui ma mais me mes moi mon ne nos notre nous on ou où par pas peut peux plus pour pourquoi qu quand que quel quelle qui quoi sa sans se ses si son sont sur ta te tes toi ton tu un une vos votre vous",
    es: 'a al algo como cómo con cuál cuando cuándo de del donde dónde el ella ellos en entre era es esa ese eso esta este esto está estoy fue ha hay la las le les lo los me mi mis mucho muy más nada no nos o para pero por porque puede puedo que qué quien quién se ser si sin sobre son su sus también te tengo ti tiene todo tu tus un una y ya yo',
  }).map(([language, words]) => [language, new Set(words.split(' '))]),
);
const EVERY_COMMON = new Set(Object.values(COMMON).flatMap((words) => [...words]));

const WORD = /[\p{L}\p{N}]+(?:['’][\p{L}]+)?/gu;
const ENDINGS = /(?:ingly|edly|ings|ing|ied|ies|ed|es|en|er|s|e)$/;
const LEAST_STEM = 4;
const LEAST_LETTERS = 10;
/** Characters by which a language is told: more would tell no more, and take long. */
const TELLING = 2_000;

/** A word as it is compared: in lower case, without accents and without its commonest endings. */
export function stem(word: string): string {
  const plain = word.toLowerCase().normalize('NFKD').replace(/[\u0300-\u036f]/g, '').replace(/['’].*$/, '');
  const short = plain.replace(ENDINGS, '');
  return short.length >= LEAST_STEM ? short : plain;
}

export const wordsOf = (text: string): string[] => text.match(WORD) ?? [];

/** The words of a text that say what it is about, as they are compared. */
export const termsOf = (text: string): string[] => wordsOf(text).filter((word) => !EVERY_COMMON.has(word.toLowerCase().replace(/['’]/g, ''))).map(stem);

/** What language a text is in, ISO 639-1, by tinyld; null where there is too little of it to tell. */
export function languageOf(whole: string): string | null {
  const text = whole.slice(0, TELLING).toWellFormed();
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const words = wordsOf(text).map((word) => word.toLowerCase());
  // Of a few words, the common ones tell more than letters do.
  let best: { language: string; hits: number } | null = null;
  for (const [language, common] of Object.entries(COMMON)) {
    const hits = words.filter((word) => common.has(word)).length;
    if (hits > (best?.hits ?? 0)) best = { language, hits };
  }
  if (words.length <= 8 && best && best.hits * 2 >= words.length) return best.language;
  if (letters < LEAST_LETTERS) return null;
  return detect(text) || null;
}

/** The sentences of a text, trimmed; a line ends one, too. */
export function sentencesOf(text: string, language = 'en'): string[] {
  const segmenter = new Intl.Segmenter(language, { granularity: 'sentence' });
  return [...segmenter.segment(text)].map(({ segment }) => segment.trim()).filter(Boolean);
}
