import sanitizeHtml from 'sanitize-html';
import { webAddress } from './text.js';

/**
 * Article HTML as any client may show it: text, lists, tables, quotes, pictures and links. No scripts, styles, frames, forms, classes, ids or event handlers; addresses are
 * absolute and of the web. Links open apart and tell the other side nothing.
 */
export function cleanArticle(html: string, base: string): string {
  return sanitizeHtml(html, {
    allowedTags: [
      'p', 'br', 'hr', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'li', 'dl', 'dt', 'dd', 'blockquote', 'q', 'cite', 'pre', 'code', 'em', 'strong', 'b', 'i', 'u', 's', 'sub', 'sup',
      'small', 'mark', 'time', 'a', 'img', 'figure', 'figcaption', 'table', 'caption', 'thead', 'tbody', 'tfoot', 'tr', 'th', 'td',
    ],
    allowedAttributes: { a: ['href', 'rel', 'target'], img: ['src', 'alt', 'width', 'height', 'loading'], th: ['colspan', 'rowspan'], td: ['colspan', 'rowspan'], time: ['datetime'] },
    allowedSchemes: ['http', 'https'],
    allowProtocolRelative: false,
    nestingLimit: 64,
    transformTags: {
      a: (tagName, { href }): sanitizeHtml.Tag => {
        const address = webAddress(href, base);
        return { tagName, attribs: address ? { href: address, rel: 'noopener noreferrer nofollow', target: '_blank' } : {} };
      },
      img: (tagName, { src, alt, width, height }): sanitizeHtml.Tag => {
        const address = webAddress(src, base);
        const size = Object.fromEntries(Object.entries({ width, height }).filter(([, value]) => value && /^\d{1,5}$/.test(value))) as Record<string, string>;
        return { tagName, attribs: address ? { src: address, alt: alt ?? '', loading: 'lazy', ...size } : {} };
      },
    },
    exclusiveFilter: ({ tag, attribs }) => tag === 'img' && !attribs['src'],
  }).trim();
}
