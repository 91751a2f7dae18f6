import { quoteOf, type Hit } from './retrieval.js';
import { languageOf, wordsOf } from './words.js';

/** Below this a passage says too little of what was asked to be an answer. */
export const ENOUGH = 0.42;
const QUOTED_SENTENCES = 3;
const MOST_QUOTED = 2;
/** A second passage is quoted beside the first only where it is nearly as good. */
const NEARLY = 0.9;

interface Phrases {
  greeting: (name: string) => string;
  thanks: string;
  bye: string;
  who: (name: string, about: string) => string;
  unknown: string;
}

const PHRASES: Readonly<Record<string, Phrases>> = {
  en: {
    greeting: (name) => `Hello! I am ${name}. What would you like to know?`,
    thanks: 'You are welcome.',
    bye: 'Goodbye!',
    who: (name, about) => `I am ${name}, a bot. ${about}`.trim(),
    unknown: 'I don’t know. I found nothing about that in what I was given to read.',
  },
  de: {
    greeting: (name) => `Hallo! Ich bin ${name}. Was möchten Sie wissen?`,
    thanks: 'Gern geschehen.',
    bye: 'Auf Wiedersehen!',
    who: (name, about) => `Ich bin ${name}, ein Bot. ${about}`.trim(),
    unknown: 'Das weiss ich nicht. In dem, was man mir zu lesen gab, habe ich nichts darüber gefunden.',
  },
  fr: {
    greeting: (name) => `Bonjour ! Je suis ${name}. Que souhaitez-vous savoir ?`,
    thanks: 'Je vous en prie.',
    bye: 'Au revoir !',
    who: (name, about) => `Je suis ${name}, un robot. ${about}`.trim(),
    unknown: 'Je ne sais pas. Je n’ai rien trouvé à ce sujet dans ce qu’on m’a donné à lire.',
  },
  es: {
    greeting: (name) => `¡Hola! Soy ${name}. ¿Qué desea saber?`,
    thanks: 'De nada.',
    bye: '¡Hasta luego!',
    who: (name, about) => `Soy ${name}, un bot. ${about}`.trim(),
    unknown: 'No lo sé. No he encontrado nada sobre eso en lo que me dieron a leer.',
  },
};

const SMALL_TALK: readonly { kind: 'greeting' | 'thanks' | 'bye' | 'who'; test: RegExp; most: number }[] = [
  { kind: 'thanks', test: /\b(thanks|thank you|thx|cheers|danke|merci|gracias)\b/i, most: 8 },
  { kind: 'bye', test: /\b(bye|goodbye|see you|tsch[üu]ss|auf wiedersehen|au revoir|adi[oó]s|hasta luego)(?![\p{L}])/iu, most: 6 },
  { kind: 'who', test: /\b(who are you|what are you|what can you do|wer bist du|wer sind sie|was kannst du|qui es[- ]tu|qui [êe]tes[- ]vous|qui[ée]n eres)(?![\p{L}])/iu, most: 8 },
  { kind: 'greeting', test: /^(hi|hey|hello|good (morning|evening|afternoon|day)|hallo|guten (tag|morgen|abend)|gr[üu]ezi|bonjour|salut|bonsoir|hola|buenos d[ií]as|buenas)(?![\p{L}])/iu, most: 4 },
];

export interface Persona {
  name: string;
  about: string;
  /** The bot's first language is spoken where the question's can't be told, or isn't known here. */
  languages: readonly string[];
}

export interface InProcessAnswer {
  text: string;
  /** Passages that were quoted. */
  sources: Hit[];
  kind: 'ANSWER' | 'SMALL_TALK' | 'UNKNOWN';
}

/** Answers without any model: by quoting what it was given to read, and never more than that says. */
export function answerInProcess(question: string, hits: readonly Hit[], persona: Persona): InProcessAnswer {
  const phrases = PHRASES[spokenLanguage(question, persona.languages)]!;
  const good = hits.filter(({ score }) => score >= ENOUGH);
  if (!good.length) {
    const talk = SMALL_TALK.find(({ test, most }) => test.test(question.trim()) && wordsOf(question).length <= most);
    if (talk?.kind === 'greeting') return { text: phrases.greeting(persona.name), sources: [], kind: 'SMALL_TALK' };
    if (talk?.kind === 'who') return { text: phrases.who(persona.name, persona.about), sources: [], kind: 'SMALL_TALK' };
    if (talk) return { text: phrases[talk.kind as 'thanks' | 'bye'], sources: [], kind: 'SMALL_TALK' };
    return { text: phrases.unknown, sources: [], kind: 'UNKNOWN' };
  }
  const [first] = good;
  // An answer of an FAQ stands alone: it was written as one.
  const sources = first!.passage.question === null ? good.slice(0, MOST_QUOTED).filter(({ score, passage }) => score >= first!.score * NEARLY && passage.question === null) : [first!];
  return { text: sources.map(({ passage }) => quoteOf(question, passage, QUOTED_SENTENCES)).join('\n\n'), sources, kind: 'ANSWER' };
}

/** In which of the languages that are spoken here a bot says something to somebody: theirs where it can. */
export function spokenLanguage(question: string, languages: readonly string[]): string {
  const asked = languageOf(question);
  const spoken = languages.filter((language) => language in PHRASES);
  if (asked !== null && asked in PHRASES && (!spoken.length || spoken.includes(asked))) return asked;
  return spoken[0] ?? 'en';
}
