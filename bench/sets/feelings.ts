/** Messages as people write them, by language and by how they feel. Made for this measurement, after the lists of words; the lists were not changed for it, and none of these was taken out since. */
export const FEELING_SET: Readonly<Record<string, Readonly<Record<'good' | 'bad' | 'neither', readonly string[]>>>> = {
  en: {
    good: [
      'This is the best coffee I have had in years.', 'Thanks so much for picking the kids up!', 'We won the match, what a night!', 'Your talk was brilliant, everybody loved it.', 'So happy for you two, congratulations!',
      'The new flat is gorgeous and the neighbours are lovely.', 'That was a really helpful answer.', 'I enjoyed every minute of the concert.', 'Great job on the release, it runs smoothly.', 'The nurse was kind and gentle with grandma.',
      'Finally some good news today.', 'Couldn’t be happier with the result.', 'The food was not bad at all, I would come again.', 'You made my day :)', 'It works like a charm now.',
    ],
    bad: [
      'The delivery never came and nobody answers the phone.', 'I hate waiting in this line.', 'My phone broke again, I am so fed up.', 'That was the worst meal of my life.', 'She cried the whole evening.',
      'The flight got cancelled and we lost the hotel.', 'I am really disappointed in the service.', 'The app keeps crashing, it is useless.', 'He lied to me about the money.', 'This is not what I ordered, and it is dirty.',
      'I feel terrible today.', 'The movie was boring and far too long.', 'Don’t buy it, it falls apart after a week.', 'Sad to hear that your dog died.', 'What a waste of time.',
    ],
    neither: [
      'The meeting starts at three.', 'I parked the car behind the station.', 'Who has the keys?', 'The parcel weighs two kilos.', 'Please send me the address.', 'The train leaves from platform four.', 'We are six people on Saturday.', 'The document has twelve pages.',
      'She works in an office in Bern.', 'Turn left after the bridge.',
    ],
  },
  de: {
    good: [
      'Das war der beste Kaffee seit Jahren.', 'Vielen Dank, dass du die Kinder abgeholt hast!', 'Wir haben gewonnen, was für ein Abend!', 'Dein Vortrag war großartig, alle waren begeistert.', 'Ich freue mich so für euch!', 'Die neue Wohnung ist wunderschön und die Nachbarn sind nett.',
      'Das war wirklich eine hilfreiche Antwort.', 'Ich habe jede Minute des Konzerts genossen.', 'Super gemacht, es läuft alles.', 'Endlich einmal gute Nachrichten.', 'Das Essen war lecker, wir kommen wieder.', 'Du hast mir den Tag gerettet, danke!',
    ],
    bad: [
      'Das Paket kam nie an und niemand geht ans Telefon.', 'Ich hasse es, in dieser Schlange zu warten.', 'Mein Handy ist schon wieder kaputt.', 'Das war das schlechteste Essen meines Lebens.', 'Sie hat den ganzen Abend geweint.', 'Ich bin vom Service sehr enttäuscht.',
      'Die App stürzt dauernd ab, sie ist unbrauchbar.', 'Er hat mich belogen.', 'Das ist nicht gut, und schmutzig ist es auch.', 'Mir geht es heute furchtbar.', 'Der Film war langweilig und viel zu lang.', 'Schade um das Geld.',
    ],
    neither: ['Die Sitzung beginnt um drei.', 'Ich habe das Auto hinter dem Bahnhof geparkt.', 'Wer hat die Schlüssel?', 'Das Paket wiegt zwei Kilo.', 'Schick mir bitte die Adresse.', 'Der Zug fährt auf Gleis vier.', 'Wir sind am Samstag zu sechst.', 'Nach der Brücke links abbiegen.'],
  },
  fr: {
    good: [
      'C’est le meilleur café depuis des années.', 'Merci beaucoup d’être allé chercher les enfants !', 'On a gagné le match, quelle soirée !', 'Ta présentation était géniale, tout le monde a adoré.', 'Je suis tellement heureux pour vous deux.', 'Le nouvel appartement est superbe et les voisins sont sympas.',
      'C’était une réponse vraiment utile.', 'J’ai adoré chaque minute du concert.', 'Bravo, tout marche parfaitement.', 'Enfin une bonne nouvelle.', 'Le repas était délicieux, on reviendra.', 'Tu m’as sauvé la journée, merci !',
    ],
    bad: [
      'Le colis n’est jamais arrivé et personne ne répond.', 'Je déteste attendre dans cette file.', 'Mon téléphone est encore cassé.', 'C’était le pire repas de ma vie.', 'Elle a pleuré toute la soirée.', 'Je suis très déçue du service.', 'L’application plante sans arrêt, elle est nulle.', 'Il m’a menti.',
      'Ce n’est pas bon, et c’est sale.', 'Je me sens mal aujourd’hui.', 'Le film était ennuyeux et beaucoup trop long.', 'Quel gâchis.',
    ],
    neither: ['La réunion commence à trois heures.', 'J’ai garé la voiture derrière la gare.', 'Qui a les clés ?', 'Le colis pèse deux kilos.', 'Envoie-moi l’adresse s’il te plaît.', 'Le train part du quai quatre.', 'Nous serons six samedi.', 'Tournez à gauche après le pont.'],
  },
  es: {
    good: [
      'Es el mejor café en años.', '¡Muchas gracias por recoger a los niños!', '¡Ganamos el partido, qué noche!', 'Tu charla fue genial, a todos les encantó.', 'Estoy muy feliz por vosotros.', 'El piso nuevo es precioso y los vecinos son amables.', 'Fue una respuesta muy útil.', 'Disfruté cada minuto del concierto.',
      'Buen trabajo, todo funciona perfecto.', 'Por fin una buena noticia.', 'La comida estaba deliciosa, volveremos.', '¡Me alegraste el día, gracias!',
    ],
    bad: [
      'El paquete nunca llegó y nadie contesta.', 'Odio esperar en esta cola.', 'Mi teléfono está roto otra vez.', 'Fue la peor comida de mi vida.', 'Lloró toda la noche.', 'Estoy muy decepcionada con el servicio.', 'La aplicación falla todo el tiempo, es inútil.', 'Me mintió sobre el dinero.', 'No es bueno, y además está sucio.',
      'Hoy me siento fatal.', 'La película fue aburrida y demasiado larga.', 'Qué lástima de dinero.',
    ],
    neither: ['La reunión empieza a las tres.', 'Aparqué el coche detrás de la estación.', '¿Quién tiene las llaves?', 'El paquete pesa dos kilos.', 'Envíame la dirección, por favor.', 'El tren sale del andén cuatro.', 'Somos seis el sábado.', 'Gira a la izquierda después del puente.'],
  },
};
