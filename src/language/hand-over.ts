/** What somebody says who wants a person instead of a bot, in English, German, French and Spanish. */
const WISHES: readonly RegExp[] = [
  /\b(?:speak|talk|chat|connect me|put me through|transfer me|hand me over|get me|need|want|would like|[’']d like)\b[^.?!]{0,40}\b(?:(?:a|an|some|another|real|live|actual)\s+)+(?:real\s+|live\s+)?(?:person|human(?:\s+being)?|agent|operator|representative|employee|colleague)\b/iu,
  /\b(?:human|live agent|real person|customer (?:service|support)),?\s+please\b|^\s*(?:a\s+)?(?:human|real person|live agent|agent|operator|representative)\s*[!.]*\s*$/iu,
  /\b(?:sprechen|reden|verbinde(?:n)?|schreiben|brauche|möchte|will)\b[^.?!]{0,40}\b(?:mensch(?:en)?|mitarbeiter(?:in|s)?|echten? person|person(?= sprechen| reden)|berater(?:in)?|jemandem vom support)\b|\b(?:mit einem|einen|mit einer|eine)\s+(?:echten\s+)?(?:menschen|mitarbeiter(?:in)?|echten person|berater(?:in)?)\s+(?:sprechen|reden|bitte)/iu,
  /\b(?:parler|discuter|joindre|contacter|passez-moi|besoin|veux|voudrais)\b[^.?!]{0,40}(?:\b(?:humain|conseill(?:er|ère)|agent|opérateur|opératrice|vraie personne|employé)\b|\bune personne\b)/iu,
  /\b(?:hablar|chatear|contactar|comunicar(?:me)?|necesito|quiero|quisiera|páseme|pásame)(?!\p{L})[^.?!]{0,40}\b(?:con|a|un|una)\s+(?:(?:un|una)\s+)?(?:persona(?: real)?|humano|humana|agente|operador|operadora|representante|empleado)\b/iu,
];

/** Whether a message asks for a person. What is only about persons does not. */
export const wantsPerson = (text: string): boolean => WISHES.some((wish) => wish.test(text));

export interface HandOverPhrases {
  /** Said beside an answer that it did not know, before anything is handed over. */
  offer: (messages: number) => string;
  opened: (messages: number) => string;
  /** Where what was said is not handed on. */
  openedWithout: string;
  waiting: string;
  taken: string;
  full: string;
  came: (agent: string) => string;
  resolved: string;
  cancelled: string;
}

export const HAND_OVER_PHRASES: Readonly<Record<string, HandOverPhrases>> = {
  en: {
    offer: (messages) => `If you ask me for a person, I hand over to one. Whoever comes reads the last ${messages} messages between us.`,
    opened: (messages) => `I have asked for a person to come. Whoever does reads the last ${messages} messages between us, up to here. You can still cancel it.`,
    openedWithout: 'I have asked for a person to come. Nothing of what we have said here is handed on.',
    waiting: 'A person has been asked to come already: as soon as somebody is free, they will write to you.',
    taken: 'A person has taken this on already: you find them in the chat that was made for it.',
    full: 'Too many are waiting for a person just now. Please try again later.',
    came: (agent) => `${agent} has taken this on. I say nothing here until it is resolved.`,
    resolved: 'This is resolved. I am listening again: mention me.',
    cancelled: 'This was cancelled. I am listening again: mention me.',
  },
  de: {
    offer: (messages) => `Wenn Sie nach einem Menschen fragen, gebe ich weiter. Wer kommt, liest die letzten ${messages} Nachrichten zwischen uns.`,
    opened: (messages) => `Ich habe einen Menschen dazugebeten. Wer kommt, liest die letzten ${messages} Nachrichten zwischen uns, bis hierher. Sie können es noch abbrechen.`,
    openedWithout: 'Ich habe einen Menschen dazugebeten. Von dem, was wir hier gesagt haben, wird nichts weitergegeben.',
    waiting: 'Es ist schon jemand gebeten worden: sobald jemand frei ist, meldet er sich bei Ihnen.',
    taken: 'Es kümmert sich schon jemand darum: Sie finden ihn im Chat, der dafür gemacht wurde.',
    full: 'Im Moment warten zu viele auf einen Menschen. Bitte versuchen Sie es später noch einmal.',
    came: (agent) => `${agent} kümmert sich darum. Ich sage hier nichts, bis es erledigt ist.`,
    resolved: 'Das ist erledigt. Ich höre wieder zu: erwähnen Sie mich.',
    cancelled: 'Das wurde abgebrochen. Ich höre wieder zu: erwähnen Sie mich.',
  },
  fr: {
    offer: (messages) => `Si vous demandez une personne, je passe la main. Qui vient lit les ${messages} derniers messages entre nous.`,
    opened: (messages) => `J’ai demandé à une personne de venir. Elle lira les ${messages} derniers messages entre nous, jusqu’ici. Vous pouvez encore annuler.`,
    openedWithout: 'J’ai demandé à une personne de venir. Rien de ce que nous avons dit ici n’est transmis.',
    waiting: 'Une personne a déjà été demandée : dès que quelqu’un est libre, il vous écrira.',
    taken: 'Quelqu’un s’en occupe déjà : vous le trouvez dans le chat fait pour cela.',
    full: 'Trop de gens attendent une personne en ce moment. Réessayez plus tard.',
    came: (agent) => `${agent} s’en occupe. Je ne dis rien ici jusqu’à ce que ce soit réglé.`,
    resolved: 'C’est réglé. J’écoute de nouveau : mentionnez-moi.',
    cancelled: 'Cela a été annulé. J’écoute de nouveau : mentionnez-moi.',
  },
  es: {
    offer: (messages) => `Si pide una persona, le paso con una. Quien venga leerá los últimos ${messages} mensajes entre nosotros.`,
    opened: (messages) => `He pedido que venga una persona. Leerá los últimos ${messages} mensajes entre nosotros, hasta aquí. Todavía puede cancelarlo.`,
    openedWithout: 'He pedido que venga una persona. No se transmite nada de lo que hemos dicho aquí.',
    waiting: 'Ya se ha pedido una persona: en cuanto alguien esté libre, le escribirá.',
    taken: 'Ya se ocupa alguien: lo encuentra en el chat que se hizo para ello.',
    full: 'Ahora esperan demasiados a una persona. Inténtelo más tarde.',
    came: (agent) => `${agent} se ocupa de esto. No digo nada aquí hasta que esté resuelto.`,
    resolved: 'Está resuelto. Vuelvo a escuchar: mencióneme.',
    cancelled: 'Se ha cancelado. Vuelvo a escuchar: mencióneme.',
  },
};
