/** Words by how strongly they are felt, as AFINN has them for English: 1 to 4, bad ones below 0. Written for this product; the bench says how far they reach. */
function feelings(lists: Readonly<Record<number, string>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(lists).flatMap(([points, words]) => words.split(' ').map((word) => [word, Number(points)])));
}

export const FEELINGS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  de: feelings({
    4: 'fantastisch großartig hervorragend ausgezeichnet wunderbar genial perfekt traumhaft überragend begeistert',
    3: 'toll super prima klasse liebe lieben liebt liebevoll wunderschön herrlich glücklich freue freut gefreut freude spitze lecker köstlich beeindruckend beeindruckt genieße genossen fabelhaft geil',
    2: 'gut gute guter gutes guten besser beste bester besten schön schöne schöner schönes freundlich freundliche freundlicher nett nette netter hilfreich danke dankbar zufrieden empfehlen empfehlenswert gelungen angenehm angenehme gemütlich spannend lustig witzig erfolg erfolgreich gewonnen zuverlässig sauber lohnt mag gefällt gefallen interessant hoffnung lächeln',
    1: 'okay gerne schnell schnelle einfach praktisch günstig frisch ruhig klar sicher willkommen hilft geholfen',
    [-1]: 'leider teuer langsam laut alt müde warten verspätet verspätung schade problem probleme fehlt fehlen langweilig überteuert kalt',
    [-2]: 'schlecht schlechte schlechter schlechtes schlechten traurig enttäuscht enttäuschend enttäuschung unfreundlich unfreundliche ärgerlich nervt nervig kaputt verloren falsch dreckig schmutzig unzufrieden sorgen angst allein einsam weh schmerzen krank mies unhöflich defekt verärgert gelogen stress gestresst streit',
    [-3]: 'furchtbar schrecklich grauenhaft katastrophe katastrophal hasse hassen hasst wütend ekelhaft widerlich betrug betrogen entsetzlich unverschämt frechheit weinen geweint schlimm schlimmste schlimmer schlechteste peinlich abzocke fürchterlich miserabel verzweifelt unerträglich',
    [-4]: 'scheiße scheiss scheiß beschissen arschloch verdammt idiot idioten',
  }),
  fr: feelings({
    4: 'fantastique magnifique excellent excellente exceptionnel merveilleux merveilleuse parfait parfaite génial géniale formidable extraordinaire',
    3: "adore adoré adorons super superbe amour aime j'aime aimé heureux heureuse ravi ravie joie délicieux délicieuse bravo enchanté impressionnant incroyable splendide chaleureux régal",
    2: 'bon bonne bons bonnes bien meilleur meilleure mieux beau belle joli jolie gentil gentille sympa sympathique agréable merci content contente satisfait satisfaite recommande plaisir utile drôle amusant réussi réussite succès gagné propre fiable plaît intéressant espoir sourire souriant',
    1: "d'accord rapide facile pratique frais calme sûr bienvenue aide aidé abordable",
    [-1]: 'cher chère lent lente bruyant vieux fatigué fatiguée attendre retard dommage problème problèmes manque ennuyeux ennuyeuse froid froide malheureusement',
    [-2]: 'mauvais mauvaise mal triste déçu déçue décevant décevante déception désagréable énervé énervant énerve cassé cassée perdu perdue faux sale mécontent mécontente peur seul seule malade douleur inquiet inquiète impoli menti stress dispute',
    [-3]: "horrible affreux affreuse terrible catastrophe catastrophique déteste haine hais furieux furieuse dégoûtant dégoûtante arnaque arnaqué épouvantable honte honteux pleuré pleurer pire nul nulle lamentable insupportable désespéré pitoyable colère",
    [-4]: 'merde putain connard connasse salaud enculé',
  }),
  es: feelings({
    4: 'fantástico fantástica maravilloso maravillosa excelente excepcional perfecto perfecta genial increíble extraordinario espectacular',
    3: 'encanta encantó encantado encantada amor amo feliz felices alegría alegra delicioso deliciosa rico rica adoro bravo impresionante estupendo estupenda magnífico magnífica precioso preciosa emocionado emocionada',
    2: 'bueno buena buenos buenas buen bien mejor mejores bonito bonita lindo linda amable amables simpático simpática agradable gracias contento contenta satisfecho satisfecha recomiendo recomendable placer útil divertido divertida éxito gané ganado limpio limpia fiable gusta gustó interesante esperanza sonrisa hermoso hermosa',
    1: 'vale rápido rápida fácil práctico fresco tranquilo seguro bienvenido ayuda ayudó barato',
    [-1]: 'caro cara lento lenta ruidoso viejo cansado cansada esperar retraso lástima problema problemas falta aburrido aburrida frío fría desgraciadamente',
    [-2]: 'malo mala malos malas mal triste decepcionado decepcionada decepcionante decepción desagradable enfadado enfadada molesto molesta roto rota perdido perdida sucio sucia descontento miedo solo enfermo dolor preocupado preocupada maleducado mentira mentiroso estrés pelea',
    [-3]: 'horrible terrible espantoso espantosa desastre catástrofe odio odia furioso furiosa asqueroso asquerosa estafa estafado estafaron vergüenza vergonzoso llorar lloré peor pésimo pésima fatal insoportable desesperado lamentable rabia',
    [-4]: 'mierda joder cabrón puta gilipollas idiota',
  }),
};

export const NEGATIONS: Readonly<Record<string, ReadonlySet<string>>> = {
  de: new Set('nicht kein keine keinen keiner nie niemals kaum ohne nichts'.split(' ')),
  fr: new Set("pas jamais aucun aucune sans ne n'est guère".split(' ')),
  es: new Set('no nunca jamás sin ningún ninguna tampoco nada'.split(' ')),
};
