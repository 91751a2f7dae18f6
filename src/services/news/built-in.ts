/** A section of a publisher, and where its feed is. */
export interface SourceSpec {
  publisher: string;
  section: string;
  feedUrl: string;
  /** Of a feed that serves several sections: takes the items of this category alone. */
  category?: string;
  homepage: string;
  language: string;
  /** What its articles are about, beside what the items say. */
  topics: string[];
}

const BBC_SECTIONS: [section: string, path: string, topics: string[]][] = [
  ['Top stories', 'news', []],
  ['World', 'news/world', ['World']],
  ['UK', 'news/uk', ['UK']],
  ['Business', 'news/business', ['Business']],
  ['Technology', 'news/technology', ['Technology']],
  ['Science & Environment', 'news/science_and_environment', ['Science']],
  ['Health', 'news/health', ['Health']],
  ['Entertainment & Arts', 'news/entertainment_and_arts', ['Culture']],
  ['Sport', 'sport', ['Sport']],
];

/** Al Jazeera has one feed of everything in English; its items say which section they are of. */
const AL_JAZEERA_SECTIONS: [section: string, category: string | null, topics: string[]][] = [
  ['All', null, []],
  ['News', 'News', ['World']],
  ['Economy', 'Economy', ['Business']],
  ['Sport', 'Sport', ['Sport']],
  ['Features', 'Features', []],
];

const CNN_SECTIONS: [section: string, file: string, topics: string[]][] = [
  ['Top stories', 'edition', []],
  ['World', 'edition_world', ['World']],
  ['Business', 'money_news_international', ['Business']],
  ['Technology', 'edition_technology', ['Technology']],
  ['Science & Space', 'edition_space', ['Science']],
  ['Entertainment', 'edition_entertainment', ['Culture']],
  ['Sport', 'edition_sport', ['Sport']],
];

/** The feeds that every installation begins with, at the addresses that their publishers give. CNN's server speaks plain http. */
export const BUILT_IN_SOURCES: readonly SourceSpec[] = [
  ...BBC_SECTIONS.map(([section, path, topics]): SourceSpec => ({
    publisher: 'BBC', section, feedUrl: `https://feeds.bbci.co.uk/${path}/rss.xml`, homepage: `https://www.bbc.com/${path}`, language: 'en', topics,
  })),
  ...AL_JAZEERA_SECTIONS.map(([section, category, topics]): SourceSpec => ({
    publisher: 'Al Jazeera', section, feedUrl: 'https://www.aljazeera.com/xml/rss/all.xml', ...(category ? { category } : {}), homepage: 'https://www.aljazeera.com/', language: 'en', topics,
  })),
  ...CNN_SECTIONS.map(([section, file, topics]): SourceSpec => ({
    publisher: 'CNN', section, feedUrl: `http://rss.cnn.com/rss/${file}.rss`, homepage: 'https://edition.cnn.com/', language: 'en', topics,
  })),
];
