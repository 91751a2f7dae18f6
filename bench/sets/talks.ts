/** Conversations with the messages that somebody who was away would have to know of, marked by `!`. Made for this measurement. */
const talk = (text: string): { texts: string[]; key: number[] } => {
  const lines = text.trim().split('\n').map((line) => line.trim());
  return { texts: lines.map((line) => line.replace(/^! /, '')), key: lines.flatMap((line, at) => (line.startsWith('! ') ? [at] : [])) };
};

export const TALK_SET = [
  talk(`morning all
    hi!
    ! We need to decide on the date for the summer party at the lake
    how about july
    ! July 12 or July 19 would work for the lake house, it is free on both
    19 is better for me
    same
    ! Then let’s book the lake house for the summer party on July 19
    yay
    who cooks?
    not me haha
    ! Marta and I will cook chili for the party, about thirty people
    I can bring drinks
    ! Tom brings the drinks to the party, please give him ten francs each
    ok
    will do
    anyone seen my umbrella?
    no
    it’s behind the door`),
  talk(`the build is red again
    sigh
    ! The build fails since the upgrade of the database driver this morning
    did anybody touch the config
    nope
    ! I rolled the database driver back to 4.2 and the build is green again
    thanks!
    lunch?
    in ten
    ! We should pin the database driver and open a ticket for the upgrade before Friday
    agreed
    ! Lena opens the ticket for the driver upgrade and tests it on staging
    ok doing it
    pizza or noodles
    noodles
    noodles it is`),
  talk(`hello neighbours
    hi
    ! The elevator in our house is out of order until Thursday, the repair company says
    again??
    third time this year
    ! I asked the management for a lower rent because of the broken elevator
    good idea
    did they answer
    ! Management answers: they take 5 percent off the rent for this month because of the elevator
    only 5
    better than nothing
    ! Mrs Keller on the fifth floor needs help with her shopping while the elevator is broken
    I can go tomorrow
    I take Wednesday
    thank you both
    has anyone a drill
    yes, come over`),
  talk(`guys the train
    what
    ! Our train to Lyon on Saturday at 8:15 was cancelled, I just got a mail
    nooo
    ! There is another train to Lyon at 10:40 with seats for all five of us
    take it
    yes take it
    ! I booked the 10:40 train to Lyon, seats 41 to 45 in coach 12, the tickets are in your mails
    you’re the best
    ! Somebody please tell the hotel in Lyon that we arrive at three and not at noon
    I’ll call them
    ok
    do we need cash
    a bit
    weather looks great btw
    30 degrees!`),
  talk(`welcome to the book club
    hey
    hello hello
    ! Next month we read The Leopard by Lampedusa, it is short and in the library
    never heard of it
    it’s a classic
    ! The book club meets on Tuesday the 4th at Anna’s place, seven o’clock
    can I bring my sister
    sure
    ! Please send me three questions about The Leopard before the meeting of the book club
    how long is it
    200 pages
    fine
    ! Anna’s doorbell is broken, so call her when you arrive for the book club
    haha ok
    see you
    bye`),
  talk(`quick one about school
    yes?
    ! The school trip to the zoo on Monday costs 18 euros and the children need a packed lunch
    rain gear?
    probably
    ! Mr Hofer is ill, so the parents’ evening at school moves from Wednesday to next Thursday
    oh no
    get well soon
    ! The school needs two more parents to come along on the trip to the zoo
    I can come
    me too if it’s before 4
    it is
    ! Swimming lessons at school start again in March, bring caps and towels
    ok thanks
    anyone selling a child seat
    I have one
    write me`),
];
