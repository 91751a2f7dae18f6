import { sentimentOf } from './sentiment.js';
import { languageOf } from './words.js';

type Move = 'thanks' | 'greeting' | 'bye' | 'proposal' | 'whether' | 'open' | 'sad' | 'glad' | 'plain';
type Tone = 'casual' | 'formal';

const PHRASES: Readonly<Record<string, Record<Move, Record<Tone, readonly [string, string, string]>>>> = {
  en: {
    thanks: { casual: ['Anytime!', 'No problem 😊', 'Happy to help!'], formal: ['You are welcome.', 'My pleasure.', 'Glad to be of help.'] },
    greeting: { casual: ['Hey! How are you?', 'Hi there!', 'Hello 👋'], formal: ['Hello, how are you?', 'Good day.', 'Nice to hear from you.'] },
    bye: { casual: ['See you!', 'Bye 👋', 'Take care!'], formal: ['Goodbye.', 'See you soon.', 'Have a good day.'] },
    proposal: { casual: ['Sounds great!', 'I’m in 👍', 'Can’t, sorry'], formal: ['That suits me well.', 'I would be glad to.', 'Unfortunately I can’t.'] },
    whether: { casual: ['Yes!', 'Not really', 'Let me check'], formal: ['Yes, I do think so.', 'No, I am afraid not.', 'Let me look into it.'] },
    open: { casual: ['Not sure yet', 'Let me check!', 'I’ll tell you later'], formal: ['I am not sure yet.', 'Let me look into it.', 'I will get back to you.'] },
    sad: { casual: ['Oh no 😟', 'Sorry to hear that', 'Can I help?'], formal: ['I am sorry to hear that.', 'Is there anything I can do?', 'I hope it gets better soon.'] },
    glad: { casual: ['Awesome! 🎉', 'So good!', 'Love it'], formal: ['That is good news.', 'Congratulations.', 'I am glad to hear it.'] },
    plain: { casual: ['Got it 👍', 'Ok!', 'Tell me more'], formal: ['Understood.', 'Thank you for telling me.', 'Could you tell me more?'] },
  },
  de: {
    thanks: { casual: ['Gerne!', 'Kein Problem 😊', 'Immer wieder'], formal: ['Gern geschehen.', 'Keine Ursache.', 'Es hat mich gefreut.'] },
    greeting: { casual: ['Hey! Wie geht’s?', 'Hallo!', 'Hi 👋'], formal: ['Guten Tag, wie geht es Ihnen?', 'Guten Tag.', 'Schön, von Ihnen zu hören.'] },
    bye: { casual: ['Bis bald!', 'Tschüss 👋', 'Mach’s gut!'], formal: ['Auf Wiedersehen.', 'Bis bald.', 'Einen schönen Tag.'] },
    proposal: { casual: ['Klingt super!', 'Bin dabei 👍', 'Geht leider nicht'], formal: ['Das passt mir gut.', 'Sehr gerne.', 'Leider ist es mir nicht möglich.'] },
    whether: { casual: ['Ja!', 'Eher nicht', 'Ich schau mal'], formal: ['Ja, ich denke schon.', 'Nein, leider nicht.', 'Ich sehe nach.'] },
    open: { casual: ['Weiss ich noch nicht', 'Ich schau mal', 'Sag ich dir später'], formal: ['Das weiss ich noch nicht.', 'Ich sehe nach.', 'Ich melde mich wieder.'] },
    sad: { casual: ['Oh nein 😟', 'Tut mir leid', 'Kann ich helfen?'], formal: ['Das tut mir leid.', 'Kann ich etwas tun?', 'Ich hoffe, es wird bald besser.'] },
    glad: { casual: ['Super! 🎉', 'Wie schön!', 'Freut mich'], formal: ['Das ist eine gute Nachricht.', 'Ich gratuliere.', 'Das freut mich.'] },
    plain: { casual: ['Alles klar 👍', 'Ok!', 'Erzähl mehr'], formal: ['Verstanden.', 'Danke für die Mitteilung.', 'Können Sie mehr dazu sagen?'] },
  },
  fr: {
    thanks: { casual: ['De rien !', 'Pas de souci 😊', 'Avec plaisir !'], formal: ['Je vous en prie.', 'Avec plaisir.', 'Il n’y a pas de quoi.'] },
    greeting: { casual: ['Salut ! Ça va ?', 'Coucou', 'Hello 👋'], formal: ['Bonjour, comment allez-vous ?', 'Bonjour.', 'Ravi de vous lire.'] },
    bye: { casual: ['À plus !', 'Salut 👋', 'Prends soin de toi'], formal: ['Au revoir.', 'À bientôt.', 'Bonne journée.'] },
    proposal: { casual: ['Super idée !', 'Partant 👍', 'Je ne peux pas, désolé'], formal: ['Cela me convient.', 'Avec plaisir.', 'Malheureusement, je ne peux pas.'] },
    whether: { casual: ['Oui !', 'Pas vraiment', 'Je regarde'], formal: ['Oui, je pense.', 'Non, malheureusement.', 'Je vais vérifier.'] },
    open: { casual: ['Je ne sais pas encore', 'Je regarde', 'Je te dis plus tard'], formal: ['Je ne sais pas encore.', 'Je vais vérifier.', 'Je reviens vers vous.'] },
    sad: { casual: ['Oh non 😟', 'Désolé', 'Je peux aider ?'], formal: ['J’en suis désolé.', 'Puis-je aider ?', 'J’espère que cela ira mieux.'] },
    glad: { casual: ['Génial ! 🎉', 'Trop bien', 'J’adore'], formal: ['C’est une bonne nouvelle.', 'Félicitations.', 'Je m’en réjouis.'] },
    plain: { casual: ['Compris 👍', 'Ok !', 'Raconte'], formal: ['C’est noté.', 'Merci de me l’avoir dit.', 'Pouvez-vous préciser ?'] },
  },
  es: {
    thanks: { casual: ['¡De nada!', 'No hay problema 😊', '¡Cuando quieras!'], formal: ['De nada.', 'Con mucho gusto.', 'Ha sido un placer.'] },
    greeting: { casual: ['¡Hola! ¿Qué tal?', '¡Buenas!', 'Hola 👋'], formal: ['Hola, ¿cómo está?', 'Buenos días.', 'Me alegra saber de usted.'] },
    bye: { casual: ['¡Nos vemos!', 'Chao 👋', '¡Cuídate!'], formal: ['Adiós.', 'Hasta pronto.', 'Que tenga un buen día.'] },
    proposal: { casual: ['¡Me parece genial!', 'Me apunto 👍', 'No puedo, lo siento'], formal: ['Me viene bien.', 'Con mucho gusto.', 'Lamentablemente no puedo.'] },
    whether: { casual: ['¡Sí!', 'La verdad que no', 'Déjame ver'], formal: ['Sí, creo que sí.', 'No, me temo que no.', 'Permítame comprobarlo.'] },
    open: { casual: ['Aún no lo sé', 'Déjame ver', 'Te digo luego'], formal: ['Aún no lo sé.', 'Permítame comprobarlo.', 'Le contestaré pronto.'] },
    sad: { casual: ['Oh, no 😟', 'Lo siento', '¿Te ayudo?'], formal: ['Lo lamento.', '¿Puedo hacer algo?', 'Espero que mejore pronto.'] },
    glad: { casual: ['¡Genial! 🎉', '¡Qué bien!', 'Me encanta'], formal: ['Es una buena noticia.', 'Enhorabuena.', 'Me alegro.'] },
    plain: { casual: ['Vale 👍', '¡Ok!', 'Cuéntame más'], formal: ['Entendido.', 'Gracias por avisarme.', '¿Podría decirme más?'] },
  },
};

const MOVES: readonly [Move, RegExp][] = [
  ['thanks', /\b(thank|thanks|thx|danke?|merci|gracias)\b/i],
  ['bye', /\b(bye|see you|good night|tsch[üu]ss|bis bald|au revoir|[àa] bient[ôo]t|adi[óo]s|hasta (luego|pronto))(?!\p{L})/iu],
  ['proposal', /\b(shall we|let'?s|want to|would you like|how about|do you fancy|wollen wir|sollen wir|hast du lust|magst du|on va|tu veux|[çc]a te dit|vamos|quieres|te apetece)(?!\p{L})/iu],
  ['open', /(^|[.!,]\s*)(what|when|where|who|why|which|how|was|wann|wo|wer|warum|welche\w*|wie|quand|o[ùu]|qui|pourquoi|comment|quel\w*|qu[ée]|cu[áa]ndo|d[óo]nde|qui[ée]n|c[óo]mo|cu[áa]l)(?!\p{L})[^?]*\?/iu],
  ['whether', /\?\s*$/],
  ['greeting', /^\s*(hi|hey|hello|hallo|guten (tag|morgen|abend)|bonjour|salut|coucou|hola|buenos d[íi]as)(?!\p{L})/iu],
];

/** Characters at the end of what was said, by which it is answered. */
const LISTENED = 2_000;

/** Three short answers to what was said last, in its language and in the tone of those who have spoken; of a language without phrases, in English. */
export function repliesTo(said: string, before: readonly string[]): [string, string, string] {
  const text = said.slice(-LISTENED);
  const recent = before.map((one) => one.slice(-LISTENED));
  const language = languageOf(text) ?? languageOf(recent.slice(-10).join('\n')) ?? 'en';
  const feeling = sentimentOf(text, language) ?? 0;
  const move = MOVES.find(([, test]) => test.test(text))?.[0] ?? (feeling <= -0.5 ? 'sad' : feeling >= 0.5 ? 'glad' : 'plain');
  return [...(PHRASES[language] ?? PHRASES['en']!)[move][toneOf([...recent.slice(-10), text])]];
}

function toneOf(texts: readonly string[]): Tone {
  const all = texts.join('\n');
  if (/\b(Sie|Ihnen|Ihre?n?|vous|votre|usted|Sir|Madam|Dear|Regards|Sincerely)\b/.test(all)) return 'formal';
  const casual = texts.filter((text) => /\p{Extended_Pictographic}|!{1,}|\b(hey|hi|lol|haha|ok|gonna|wanna|salut|coucou|vale)\b/iu.test(text) || /^\p{Ll}/u.test(text)).length;
  return casual * 3 >= texts.length ? 'casual' : 'formal';
}
