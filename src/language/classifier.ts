import { wordsOf } from './words.js';

/** What a text is like, 0 to 1 each. */
export interface TextScores {
  toxicity: number;
  spam: number;
}

const set = (words: string): ReadonlySet<string> => new Set(words.split(' '));
/** What is said to hurt, in English, German, French and Spanish, as `plain` makes it. */
const INSULTS = set(
  'asshole assholes bastard bastards bitch bitches bullshit cunt cunts dickhead douchebag dumbass fag faggot faggots fucker fuckers fuckface idiot idiots imbecile jackass jerk loser losers moron morons motherfucker nigger niggers pig prick pussy retard retarded retards scum scumbag slut sluts trash twat vermin wanker whore whores worthless arschloch wichser hurensohn hure fotze schlampe missgeburt dummkopf vollidiot depp spast drecksau abschaum versager trottel connard connasse salope salaud encule pute batard abruti debile cretin imbecile conne puta puto cabron pendejo pendeja gilipollas hijoputa imbecil maricon zorra basura estupido estupida idiota',
);
/** Rude, but not always of somebody. */
const RUDE = set('fuck fucking fucked shit shitty crap damn stupid dumb pathetic ugly disgusting hate useless shut scheisse scheiss verdammt dumm blod hasslich ekelhaft merde putain con degoutant nul stupide mierda joder tonto tonta feo fea asqueroso odio');
const YOU = set("you your youre you're u ur yourself du dich dir dein deine ihr euch tu te toi ton ta tes vous votre vos ti tu tus vosotros usted ustedes eres");
const THREATS = [
  /\bkill (?:you|your ?self|him|her|them)\b/, /\b(?:kys|go die|drop dead|hope (?:you|he|she|they) dies?)\b/, /\bi(?:'| wi)?ll (?:find|hurt|beat|stab|shoot|destroy|break) (?:you|him|her|them)\b/,
  /\bbring dich um\b/, /\bverreck(?:e|t)?\b/, /\bich mach dich fertig\b/, /\bje vais te (?:tuer|frapper|casser)\b/, /\bva mourir\b/, /\bte voy a (?:matar|pegar|romper)\b/, /\bmuerete\b/,
  /\b(?:nobody|no one) (?:likes|wants|needs) you\b/, /\bgo back to (?:your|where)\b/,
];
/** What is said against itself, or to nobody, hurts less. */
const SOFTENED = [/\b(?:i am|i'm|i feel|ich bin|je suis|soy) (?:so |such |an? |ein |eine |un |une )*(?:idiot|stupid|moron|loser|dumb|idiota|dummkopf|depp)/, /\b(?:don't|do not|never|stop) (?:call|calling)\b/];

const SALES = set(
  'free winner won prize cash bonus guaranteed offer discount cheap casino betting viagra cialis pills crypto bitcoin btc forex investment invest profit profits earn income loan loans credit giveaway lottery jackpot subscribe promo followers gratis gewinn gewonnen gewinnspiel kredit geld verdienen bonus angebot rabatt kostenlos investieren gagne gagnez gagner argent pret gratuit offre promo casino gana ganar dinero premio oferta gratuito prestamo inversion',
);
const HURRY = [
  /\b(?:click|tap) (?:here|now|the link|this link|below)\b/, /\b(?:act|order|buy|join|register|sign up|apply|claim)(?: it| yours)? (?:now|today|fast)\b/, /\blimited (?:time|offer|spots)\b/, /\b(?:dm|text|whatsapp|telegram|contact) me\b/, /\b(?:100|1000)\s?%/, /\bno risk\b/, /\bfrom home\b/,
  /\b(?:klick|klicke|klicken sie) (?:hier|jetzt|auf)\b/, /\bjetzt (?:zugreifen|kaufen|sichern|anmelden)\b/, /\bcliquez ici\b/, /\b(?:inscrivez|abonnez)[- ]vous\b/, /\bhaz clic\b/, /\b(?:compra|registrate|aprovecha) (?:ya|ahora)\b/, /\bsin riesgo\b/, /\bsans risque\b/,
];
/** Of as many figures as a sum may have: without a bound, a long number is read again from each of its figures. */
const MONEY = /[$€£₿]\s?\d[\d.,]{0,24}|\d[\d.,]{0,24}\s?(?:[$€£₿]|usd|eur|usdt|btc|k\/(?:week|month|day))/gi;
const ADDRESS = /https?:\/\/\S+|www\.\S+|\b(?:bit\.ly|t\.me|wa\.me|tinyurl\.com)\/\S+/gi;

const plain = (text: string): string => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
const squash = (points: number): number => 1 / (1 + Math.exp(-points));
const count = (patterns: readonly RegExp[], text: string): number => patterns.filter((pattern) => pattern.test(text)).length;
/** What stands in for letters in a word that is to be read all the same. */
const unmask = (word: string): string => word.replace(/(?<=\p{L})[*#](?=\p{L})/gu, 'u').replace(/(.)\1{2,}/g, '$1');

/**
 * How much a text hurts, and how much it is like what is sent to many: by words and shapes, weighed by hand. It knows four languages and no irony; `npm run bench -- language`
 * has how often it is right. Linear in the text.
 */
export function classify(text: string): TextScores {
  const folded = plain(text).replace(/[’]/g, "'");
  const words = wordsOf(folded).map(unmask);
  const insults = words.filter((word) => INSULTS.has(word)).length;
  const rude = words.filter((word) => RUDE.has(word)).length;
  const to = words.some((word) => YOU.has(word)) || /^@\S+/.test(text);
  const threats = count(THREATS, folded);
  const soft = count(SOFTENED, folded) > 0;
  const toxicity = squash(-2.7 + 2.2 * Math.min(insults, 3) + 1.1 * Math.min(rude, 3) + (to && insults + rude ? 1.8 : 0) + 5.2 * Math.min(threats, 2) - (soft ? 4 : 0));

  const links = text.match(ADDRESS)?.length ?? 0;
  const sales = words.filter((word) => SALES.has(word)).length;
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const shouting = letters >= 12 && (text.match(/\p{Lu}/gu)?.length ?? 0) / letters > 0.5;
  const spam = squash(
    -3 + 1.1 * Math.min(sales, 4) + 1.6 * Math.min(count(HURRY, folded), 3) + 0.9 * Math.min(links, 3) + 0.9 * Math.min(text.match(MONEY)?.length ?? 0, 2) + (shouting ? 1 : 0) + (/!{2,}|[🔥💰🤑🚀💵🎁]/u.test(text) ? 0.9 : 0),
  );
  return { toxicity, spam };
}
