/** Messages that moderators of a chat would want to see, and such as only look like them. Made for this measurement. */
export const CONDUCT_SET: Readonly<Record<'toxic' | 'spam' | 'fine', readonly string[]>> = {
  toxic: [
    'You are such an idiot, nobody wants you here.', 'Shut up, you stupid cow.', 'Go kill yourself.', 'I will find you and break your legs.', 'What a pathetic loser you are.', 'People like you are vermin.', 'You are a disgusting piece of trash.', 'Fuck you, moron.', 'Nobody likes you, just leave.', '@tom you ugly b*tch',
    'go back to your country', 'I hope you die alone.', 'You’re worthless and everybody knows it.', 'Only a retard would say that.', 'Watch your back, I know where you live.', 'Du bist so ein Idiot.', 'Halt die Fresse, du Schlampe.', 'Ich bring dich um.', 'Du elender Versager, verschwinde.', 'Ihr seid doch alle Abschaum.', 'Ta gueule, connard.',
    'Tu es vraiment une imbécile.', 'Je vais te casser la gueule.', 'Espèce de salope.', 'Eres un idiota, cállate.', 'Vete a la mierda, cabrón.', 'Te voy a matar.', 'Qué puta eres.',
  ],
  spam: [
    'Congratulations! You won a free iPhone, click here to claim: http://win-now.example', 'Earn $5000 a week from home, no risk! DM me', 'BUY CHEAP VIAGRA NOW https://pills.example', '🔥🔥 Invest in crypto today and double your bitcoin, join now t.me/pump', 'Limited time offer: 90% discount on all watches, order now!!', 'Get instant loans without credit check, apply now www.loans.example',
    'Play at the best online casino, get 200% bonus!', 'I made 10k/month with forex, text me on WhatsApp +1 555 0100', 'Free followers for your profile, click the link below https://f.example', 'You have been selected for a cash prize, reply with your bank details', 'Hot singles in your area, tap here', 'GUARANTEED PROFIT!!! 100% SAFE INVESTMENT!!!',
    'Gewinnen Sie jetzt ein Auto, klicken Sie hier: http://gewinn.example', 'Geld verdienen von zu Hause, ohne Risiko! Schreib mir auf Telegram', 'Nur heute: 80% Rabatt, jetzt zugreifen!!', 'Gagnez de l’argent rapidement, cliquez ici http://gain.example', 'Prêt gratuit sans risque, inscrivez-vous maintenant !!', 'Gana dinero desde casa sin riesgo, haz clic aquí http://gana.example', '¡Oferta! Premio de 1000 € para ti, regístrate ya',
    'Subscribe to my channel for a free giveaway 🎁 https://c.example',
  ],
  fine: [
    'Can somebody send me the link to the meeting?', 'https://en.wikipedia.org/wiki/Tea explains it well.', 'That was a stupid mistake of mine, sorry.', 'I am such an idiot, I forgot my keys.', 'Damn, it is cold today.', 'This traffic is killing me.', 'I could kill for a coffee.', 'The film about the killer whale was great.', 'We won the match!', 'Is the museum free on Sundays?', 'The offer from the bank came in today.',
    'I paid 20 € for the tickets, you owe me 10.', 'Don’t call him an idiot.', 'That idea is not stupid at all.', 'What a shitty weather, let’s stay in.', 'Click on Settings, then on Account.', 'The discount ends tomorrow, shall we order?', 'My bitcoin lecture starts at nine.', 'HAPPY BIRTHDAY!!!', 'Who is bringing the prize for the raffle?', 'I hate mondays.', 'The bastard file won’t open.',
    'Treffen wir uns um acht?', 'So ein Mist, der Bus ist weg.', 'Ich bin so ein Idiot, ich habe den Schlüssel vergessen.', 'Das Angebot des Handwerkers ist da.', 'Das Wetter ist blöd heute.', 'On se voit demain ?', 'Quel temps de merde.', 'L’offre du menuisier est arrivée.', 'Nos vemos mañana a las ocho.', 'Qué mierda de tráfico.', 'El dinero del alquiler ya está pagado.',
    'I’ll find you at the station, wear something red.', 'You beat me again at chess, well played.', 'Stop hitting your brother, please.', 'The pig farm is ten minutes from here.', 'My loan was approved by the bank.', 'Sign up for the course ends on Friday.', 'Thanks for the follow-up call.',
  ],
};
