/** What a shop answers, and what people ask of it in words of their own: `at` is the number of the answer that helps. Made for this measurement. */
export const FAQ_SET: readonly { question: string; answer: string }[] = [
  { question: 'How long does delivery take?', answer: 'Parcels arrive within three working days.' },
  { question: 'Can I return something?', answer: 'You may send anything back within 30 days; we refund the price.' },
  { question: 'Which cards do you accept?', answer: 'We take Visa and Mastercard.' },
  { question: 'Do you deliver abroad?', answer: 'We send to all countries of the European Union and to Switzerland.' },
  { question: 'How much is shipping?', answer: 'Shipping costs 6 francs; from 50 francs on it is free.' },
  { question: 'How do I reset my password?', answer: 'Choose “Forgotten” where you sign in, and follow the link in the mail.' },
  { question: 'When are you open?', answer: 'The shop is open from Monday to Saturday, nine to six.' },
  { question: 'Where is your shop?', answer: 'You find us in the old mill, opposite the station.' },
  { question: 'Do you sell gift cards?', answer: 'Vouchers of any amount are sold in the shop and online.' },
  { question: 'How should I store tea?', answer: 'Keep it dry, dark and away from spices, best in a tin.' },
  { question: 'Is your tea organic?', answer: 'All green teas are certified organic; of black teas, those with the leaf on the label.' },
  { question: 'How hot should the water be for green tea?', answer: 'Let the kettle cool to 75 degrees.' },
  { question: 'Can I change my order?', answer: 'As long as it has not been packed, write to us and we change it.' },
  { question: 'How can I cancel an order?', answer: 'Open the order and choose “Cancel”; after it was sent, return it instead.' },
  { question: 'My parcel is damaged, what now?', answer: 'Send us a picture within a week, and we replace what is broken.' },
  { question: 'Do you have decaffeinated tea?', answer: 'Rooibos and all herbal infusions are without caffeine.' },
  { question: 'Can I get an invoice?', answer: 'A PDF with VAT is attached to the confirmation.' },
  { question: 'How do I unsubscribe from the newsletter?', answer: 'Every mail has a link at its end that ends it.' },
  { question: 'Do you give discounts for companies?', answer: 'From ten kilos a year on, firms get 15 percent off.' },
  { question: 'Can I taste before buying?', answer: 'There are tastings on the first Thursday of each month; sign up at the counter.' },
];
export const QUESTION_SET: readonly { ask: string; at: number }[] = [
  { ask: 'when will my parcel get here', at: 0 }, { ask: 'how many days until delivery?', at: 0 }, { ask: 'i dont like it, can i send it back', at: 1 }, { ask: 'do I get my money back when I return an item', at: 1 }, { ask: 'can I pay by Mastercard', at: 2 }, { ask: 'is American Express accepted?', at: 2 },
  { ask: 'do you ship to Germany', at: 3 }, { ask: 'delivery to other countries?', at: 3 }, { ask: 'what do you charge for shipping', at: 4 }, { ask: 'from what amount is shipping free', at: 4 }, { ask: 'I forgot my password', at: 5 }, { ask: 'cant sign in any more, new passwort?', at: 5 },
  { ask: 'are you open on Saturday', at: 6 }, { ask: 'what are your opening hours', at: 6 }, { ask: 'what is the address of the shop', at: 7 }, { ask: 'how do I find your store', at: 7 }, { ask: 'do you have vouchers', at: 8 }, { ask: 'I need a gift for a friend, any gift cards?', at: 8 },
  { ask: 'how do I keep tea fresh', at: 9 }, { ask: 'storing tea at home', at: 9 }, { ask: 'are the teas bio / organic certified', at: 10 }, { ask: 'is the black tea organic', at: 10 }, { ask: 'what temperature for green tea', at: 11 }, { ask: 'water temperature sencha green', at: 11 },
  { ask: 'I ordered the wrong size, can you change it', at: 12 }, { ask: 'modify my order please', at: 12 }, { ask: 'cancel my order', at: 13 }, { ask: 'I want to call off what I ordered', at: 13 }, { ask: 'the parcel arrived broken', at: 14 }, { ask: 'damaged box, what do I do', at: 14 },
  { ask: 'anything without caffeine?', at: 15 }, { ask: 'decaf', at: 15 }, { ask: 'I need a receipt with VAT', at: 16 }, { ask: 'where do I find the invoice', at: 16 }, { ask: 'stop sending me mails', at: 17 }, { ask: 'how to leave the newsletter', at: 17 },
  { ask: 'rebate for our firm?', at: 18 }, { ask: 'company discount', at: 18 }, { ask: 'can I try some teas first', at: 19 }, { ask: 'when is the next tasting', at: 19 },
];
/** What the shop knows nothing of: the honest answer is that it does not know. */
export const UNKNOWN_SET: readonly string[] = [
  'who won the football match yesterday', 'what is the capital of Mongolia', 'can you fix my bicycle', 'do you rent skis', 'what is your favourite film', 'how tall is the Eiffel tower', 'will it rain tomorrow', 'recommend me a dentist', 'translate hello into Japanese', 'is there parking for a boat',
];
