/** What the seeded world is made of. */
export const FIRST_NAMES = [
  'Amara', 'Ben', 'Chiara', 'Dmitri', 'Elif', 'Farid', 'Greta', 'Hugo', 'Ines', 'Jonas', 'Kavya', 'Leo', 'Mei', 'Nadia', 'Omar', 'Priya', 'Quentin', 'Rosa', 'Sven', 'Tariq',
  'Uma', 'Viktor', 'Wanda', 'Ximena', 'Yusuf', 'Zoe', 'Aiko', 'Bruno', 'Carmen', 'Daniel', 'Emma', 'Felix', 'Gloria', 'Hana', 'Ivan', 'Julia', 'Karim', 'Lena', 'Marco', 'Noor',
  'Oscar', 'Paula', 'Rafael', 'Sofia', 'Theo', 'Vera', 'Willem', 'Yara', 'Anton', 'Beatriz', 'Cem', 'Dora', 'Esra', 'Finn', 'Giulia', 'Henrik', 'Isla', 'Jakub', 'Katya', 'Luis',
];
export const LAST_NAMES = [
  'Adeyemi', 'Bianchi', 'Castro', 'Dvorak', 'Eriksen', 'Fontaine', 'Garcia', 'Haddad', 'Ivanova', 'Jansen', 'Kaya', 'Lindqvist', 'Moreau', 'Nakamura', 'Okafor', 'Petrov', 'Quispe', 'Rossi',
  'Sharma', 'Tanaka', 'Ullah', 'Vargas', 'Weber', 'Xu', 'Yilmaz', 'Zhang', 'Almeida', 'Brandt', 'Costa', 'Diaz', 'Engel', 'Fischer', 'Gupta', 'Horvat', 'Ito', 'Jovanovic', 'Khan', 'Larsen',
  'Mensah', 'Novak', 'Ortiz', 'Park', 'Romano', 'Silva', 'Torres', 'Varga', 'Wagner', 'Young', 'Zeman', 'Berg',
];
export const ABOUTS = ['Coffee first', 'On the road', 'Here most evenings', 'Back in an hour', 'Father of two, tired of both', 'Ask me about sourdough', 'Trail runner', 'Learning the cello', 'Usually late', 'Plants, mostly'];

export interface Topic {
  name: string;
  /** The topic words of a group. */
  tags: string[];
  titles: string[];
  lines: string[];
  poll: { question: string; options: string[] };
}

export const TOPICS: Topic[] = [
  {
    name: 'Trail running', tags: ['running', 'outdoors'], titles: ['Sunday long run', 'Hill repeats', 'Race logistics'],
    lines: ['Route for Sunday is up, 21 km with a coffee stop', 'My knees say no but my heart says yes', 'Who has a spare head torch?', 'The ridge path is muddy, bring grip', 'Seven o’clock at the bridge?', 'New shoes, no blisters, a good day', 'I can drive three people', 'Pace was fine, the heat was not'],
    poll: { question: 'When do we start on Sunday?', options: ['06:30', '07:30', '09:00'] },
  },
  {
    name: 'Home cooking', tags: ['food', 'recipes'], titles: ['What’s for dinner', 'Sourdough support', 'Spice swap'],
    lines: ['The starter doubled overnight, finally', 'Less water next time, the crumb was gummy', 'Roast the cumin first, it changes everything', 'Tried your lentils, the kids asked for more', 'Is it ever too late to add lemon?', 'I burnt the garlic again', 'Recipe is in the thread', 'Two hundred degrees, twenty-five minutes'],
    poll: { question: 'Theme for Friday’s dinner?', options: ['Dumplings', 'Tacos', 'Soup and bread', 'Everyone brings one thing'] },
  },
  {
    name: 'Board games', tags: ['games', 'evenings'], titles: ['Thursday table', 'Campaign night', 'Trades and loans'],
    lines: ['I’ll bring the big box', 'We need a fourth for Thursday', 'Nobody remembers the rules for trading, do they', 'Revenge match accepted', 'That dice roll will be talked about for years', 'Setup takes an hour, come early', 'House rules or by the book?', 'I lost a meeple under your sofa'],
    poll: { question: 'What do we play on Thursday?', options: ['Something short', 'The long one', 'Co-op'] },
  },
  {
    name: 'City photography', tags: ['photography', 'city'], titles: ['Golden hour walks', 'Film corner', 'Critique me'],
    lines: ['The light on the canal was unreal this morning', 'Shot on expired film, happy accident', 'Crop the left third, it is doing nothing', 'Walk on Saturday if it stays dry', 'Lens cap was on for the first ten', 'I like the quiet one more', 'Where is that staircase?', 'Scans came back today'],
    poll: { question: 'Next walk: where?', options: ['Harbour', 'Old market', 'Train yard'] },
  },
  {
    name: 'Neighbourhood', tags: ['local', 'help'], titles: ['Building 14', 'Lost and found', 'Street festival'],
    lines: ['Does anyone have a ladder for an hour?', 'The lift is out again', 'Parcel for 3B is with me', 'A grey cat is sitting on my balcony, whose is it?', 'Meeting about the bikes on Monday', 'Water will be off from nine to eleven', 'Thank you for the soup!', 'I can water plants until the tenth'],
    poll: { question: 'Where should the bike rack go?', options: ['Courtyard', 'By the gate', 'Nowhere'] },
  },
  {
    name: 'Open source', tags: ['software', 'code'], titles: ['Release crew', 'Good first issues', 'Off topic'],
    lines: ['CI is green, merging after lunch', 'That flaky test was a time zone, of course', 'Can you look at my pull request when you have a minute?', 'I wrote the changelog, please read it', 'Let’s not add an option for that', 'It works, and I don’t know why, so it doesn’t work', 'Tagging the release tonight', 'The docs example was wrong for two years'],
    poll: { question: 'Do we drop the old runtime?', options: ['Yes, now', 'Next major', 'Never'] },
  },
  {
    name: 'Choir', tags: ['music', 'singing'], titles: ['Altos', 'Concert planning', 'Rehearsal notes'],
    lines: ['Rehearsal moved to the small hall', 'Page twelve, we breathe before the repeat', 'I can’t get that F sharp out of my head', 'Black shirts, no ties', 'Who has the second tenor part?', 'That chord at the end, goosebumps', 'I’m hoarse, I’ll listen today', 'Tickets are nearly gone'],
    poll: { question: 'Encore?', options: ['The slow one', 'The fast one', 'None, we go home'] },
  },
  {
    name: 'Gardening', tags: ['plants', 'garden'], titles: ['Allotment 7', 'Seed swap', 'Slug watch'],
    lines: ['First tomatoes are in', 'The slugs held a party in the lettuce', 'I have too many courgettes, please take some', 'Prune it hard, it forgives you', 'Frost tonight, cover everything', 'Compost smells right for once', 'Those seeds you gave me came up!', 'Can somebody open the gate at six?'],
    poll: { question: 'Shared purchase: what first?', options: ['Mulch', 'A water barrel', 'New hoses'] },
  },
];

export const SMALL_TALK = [
  'Are you around later?', 'Call you in ten', 'Just landed', 'Did you see the news about the trains?', 'I sent you the documents', 'Happy birthday!! 🎉', 'Lunch on Wednesday?', 'Sorry, only seeing this now',
  'Can you pick up milk?', 'The dentist was fine', 'How did the interview go?', 'I’m outside', 'On my way', 'Left my umbrella at yours', 'We said eight, right?', 'I finished the book, we need to talk',
  'Mum says hello', 'It’s raining sideways here', 'Do you still have that drill?', 'Let me know when you’re home', 'Forgot my keys, again', 'That film was far too long', 'I’ll bring dessert', 'Thinking of getting a dog',
  'Could you send me the address once more?', 'The meeting was moved to three', 'I owe you twenty', 'Look what I found in the attic', 'No hurry at all', 'What was the name of that place with the good noodles?',
];
export const ANSWERS = [
  'Yes!', 'Sounds good', 'I’m in', 'Not this time, sorry', 'Haha', 'Same here', 'Give me five minutes', 'Of course', 'Thank you ❤️', 'Perfect', 'Let me check and get back to you', 'Really?', 'No way', 'I was about to ask the same',
  'Congratulations!', 'On it', 'Noted', 'Maybe next week', 'That makes sense', 'Ask me tomorrow', 'Great, see you there', 'You’re the best', 'Good point', '👍', '😂', 'Count me in',
];
export const EMOJI = ['👍', '❤️', '😂', '🎉', '😮', '🙏', '🔥', '👀'];

/** What the corner shop has for those who care about a topic, by its name. */
export const GOODS: Readonly<Record<string, readonly string[]>> = {
  'Trail running': ['Trail running shoes', 'Head torch', 'Hydration vest', 'Running socks', 'Trail poles', 'Energy gels', 'Rain shell', 'Finisher mug'],
  'Home cooking': ['Cast iron pan', 'Chef’s knife', 'Spice rack', 'Sourdough starter', 'Soup pot', 'Cookbook for weekdays', 'Pasta machine', 'Kitchen scale'],
  'Board games': ['Dice tower', 'Card sleeves', 'Strategy board game', 'Party board game', 'Meeple set', 'Game table mat', 'Puzzle of 1000 pieces', 'Score pads'],
  'City photography': ['35 mm film', 'Camera strap', 'Prime lens', 'Tripod', 'Photo paper', 'Lens cloths', 'Camera bag', 'Light meter'],
  Neighbourhood: ['Folding ladder', 'Bicycle rack', 'Street festival lanterns', 'Door mat', 'Tool box', 'Rain barrel', 'Picnic table', 'Notice board'],
  'Open source': ['Mechanical keyboard', 'Laptop stickers', 'Release night coffee', 'Terminal cheat sheet', 'USB debugger', 'Code review rubber duck', 'Contributor hoodie', 'Monitor arm'],
  Choir: ['Music folder', 'Tuning fork', 'Sheet music: motets', 'Sheet music: madrigals', 'Conductor’s baton', 'Throat lozenges', 'Music stand', 'Concert black shirt'],
  Gardening: ['Tomato seeds', 'Pruning shears', 'Watering can', 'Compost bin', 'Slug tape', 'Garden gloves', 'Raised bed', 'Herb seeds'],
};
export const PROFESSIONS = ['Nurse', 'Teacher', 'Carpenter', 'Accountant', 'Baker', 'Programmer'];
export const PLACES = ['Zürich', 'Lagos', 'Lisbon', 'Osaka'];
