import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { invalidInput } from '../../lib/errors.js';
import type { ProductStatus } from '../../policies/product-policy.js';
import type { ProductAttribute, ProductOption, VariantPrice } from '../loaders/products.js';

/** A product as it stands in a file; categories by their slugs. In CSV each variant is a line, and the first names the product. */
export interface FiledProduct {
  slug: string;
  title: string;
  description: string | null;
  status: ProductStatus;
  categories: string[];
  attributes: ProductAttribute[];
  /** Addresses, or `file:` and the id of a file. */
  media: string[];
  taxClass: string;
  options: ProductOption[];
  variants: FiledVariant[];
}
export interface FiledVariant {
  sku: string;
  optionValues: string[];
  prices: VariantPrice[];
  trackStock: boolean;
  weightGrams: number | null;
  picture: string | null;
  /** Over all locations. Taken up for what is new alone: what is there is counted by adjustStock. */
  stock: number;
}

/** What was read of a file: a product with the line where it begins, or why it can't be one. */
export type Filed = { line: number; slug: string | null } & ({ product: FiledProduct } | { field: string; message: string });

export const MAX_FILED = 500;

const FIXED = ['slug', 'title', 'description', 'status', 'categories', 'attributes', 'media', 'tax_class', 'sku', 'track_stock', 'weight_grams', 'picture', 'stock'];
const OPTION = /^option:(.+)$/;
const PRICE = /^(price|compare_at):([A-Z]{3})$/;
const STATUSES = ['DRAFT', 'PUBLISHED', 'ARCHIVED'];

type Line = Record<string, string>;

class Misfit extends Error {
  constructor(
    readonly field: string,
    message: string,
  ) {
    super(message);
  }
}

/** Parts with semicolons between them; where that would not do, an array in JSON. */
function list(cell: string | undefined, field: string): string[] {
  if (!cell?.startsWith('[')) return (cell ?? '').split(';').map((part) => part.trim()).filter(Boolean);
  let parts: unknown;
  try {
    parts = JSON.parse(cell);
  } catch {
    throw new Misfit(field, `${field} begins as an array in JSON, and is none.`);
  }
  return array(parts, field).map((one) => string(one, field));
}
const joined = (parts: readonly string[]): string => (parts.some((one) => one.includes(';') || one.startsWith('[')) ? JSON.stringify(parts) : parts.join('; '));

function whole(cell: string | undefined, field: string): number | null {
  if (!cell) return null;
  if (!/^\d{1,15}$/.test(cell)) throw new Misfit(field, `${field} is a whole number.`);
  return Number(cell);
}

function attributesOf(cell: string | undefined): ProductAttribute[] {
  return list(cell, 'attributes').map((pair) => {
    const at = pair.indexOf('=');
    if (at < 1) throw new Misfit('attributes', 'attributes are name=value; name=value.');
    return { name: pair.slice(0, at).trim(), value: pair.slice(at + 1).trim() };
  });
}

function statusOf(cell: unknown): ProductStatus {
  if (cell === undefined || cell === null || cell === '') return 'DRAFT';
  if (!STATUSES.includes(cell as string)) throw new Misfit('status', `status is one of ${STATUSES.join(', ')}.`);
  return cell as ProductStatus;
}

function variantOf(line: Line, names: string[], currencies: string[]): FiledVariant {
  const prices = currencies.flatMap((currency) => {
    const amount = whole(line[`price:${currency}`], `price:${currency}`);
    return amount === null ? [] : [{ currency, amount, compareAt: whole(line[`compare_at:${currency}`], `compare_at:${currency}`) }];
  });
  return {
    sku: line['sku'] ?? '',
    optionValues: names.map((name) => line[`option:${name}`] ?? ''),
    prices,
    trackStock: line['track_stock'] !== 'false',
    weightGrams: whole(line['weight_grams'], 'weight_grams'),
    picture: line['picture'] || null,
    stock: whole(line['stock'], 'stock') ?? 0,
  };
}

/** Lines of a table made products: lines of one slug, one after the other, are one product. Throws INVALID_INPUT for what is no table of products. */
export function readCsv(content: string): Filed[] {
  let lines: { record: Line; info: { lines: number } }[];
  let columns: string[] = [];
  try {
    lines = parse(content, {
      bom: true, trim: true, info: true, skip_empty_lines: true, max_record_size: 256 * 1024,
      columns: (header: string[]) => (columns = header),
    }) as unknown as typeof lines;
  } catch (error) {
    throw invalidInput('content', `This is not a table in CSV: ${(error as Error).message.slice(0, 200)}`);
  }
  const unknown = columns.find((column) => !FIXED.includes(column) && !OPTION.test(column) && !PRICE.test(column));
  if (unknown !== undefined) throw invalidInput('content', `There is no column ${unknown.slice(0, 64)}.`);
  for (const needed of ['slug', 'title', 'sku']) if (!columns.includes(needed)) throw invalidInput('content', `The column ${needed} is missing.`);
  const optionNames = columns.flatMap((column) => OPTION.exec(column)?.[1] ?? []);
  const currencies = [...new Set(columns.flatMap((column) => PRICE.exec(column)?.[2] ?? []))];
  const groups: { line: number; lines: Line[] }[] = [];
  for (const { record, info } of lines) {
    const last = groups.at(-1);
    if (last && record['slug'] === last.lines[0]!['slug'] && record['slug']) last.lines.push(record);
    else groups.push({ line: info.lines, lines: [record] });
  }
  return groups.map(({ line, lines: of }) => filed(line, of[0]!['slug'] || null, () => productOf(of, optionNames, currencies)));
}

function productOf(lines: Line[], optionNames: string[], currencies: string[]): FiledProduct {
  const [first] = lines as [Line];
  // Options that no line of the product has a value for are other products'.
  const names = optionNames.filter((name) => lines.some((line) => line[`option:${name}`]));
  // A product without variants is a line without a sku.
  const variants = lines.length === 1 && !first['sku'] ? [] : lines.map((line) => variantOf(line, names, currencies));
  return {
    slug: first['slug']!,
    title: first['title']!,
    description: first['description'] || null,
    status: statusOf(first['status']),
    categories: list(first['categories'], 'categories'),
    attributes: attributesOf(first['attributes']),
    media: list(first['media'], 'media'),
    taxClass: first['tax_class'] || 'standard',
    options: names.map((name, index) => ({ name, values: [...new Set(variants.map((variant) => variant.optionValues[index]!))] })),
    variants,
  };
}

function filed(line: number, slug: string | null, read: () => FiledProduct): Filed {
  try {
    if (slug === null) throw new Misfit('slug', 'slug is missing.');
    return { line, slug, product: read() };
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    return { line, slug, field: error.field, message: error.message };
  }
}

/** Throws INVALID_INPUT for what is no array of products in JSON. */
export function readJson(content: string): Filed[] {
  let items: unknown;
  try {
    items = JSON.parse(content);
  } catch (error) {
    throw invalidInput('content', `This is not JSON: ${(error as Error).message.slice(0, 200)}`);
  }
  if (!Array.isArray(items)) throw invalidInput('content', 'This is not an array of products.');
  return items.map((item: unknown, index) => {
    const slug = (item as { slug?: unknown } | null)?.slug;
    return filed(index + 1, typeof slug === 'string' && slug ? slug : null, () => fromJson(item as Record<string, unknown>));
  });
}

const fromJson = (item: Record<string, unknown>): FiledProduct => ({
  slug: item['slug'] as string,
  title: string(item['title'], 'title'),
  description: item['description'] == null ? null : string(item['description'], 'description'),
  status: statusOf(item['status']),
  categories: array(item['categories'], 'categories').map((slug) => string(slug, 'categories')),
  attributes: array(item['attributes'], 'attributes').map((pair) => ({ name: string(part(pair, 'name'), 'attributes'), value: string(part(pair, 'value'), 'attributes') })),
  media: array(item['media'], 'media').map((picture) => string(picture, 'media')),
  taxClass: item['taxClass'] == null ? 'standard' : string(item['taxClass'], 'taxClass'),
  options: array(item['options'], 'options').map((option) => ({
    name: string(part(option, 'name'), 'options'),
    values: array(part(option, 'values'), 'options').map((value) => string(value, 'options')),
  })),
  variants: array(item['variants'], 'variants').map((variant) => ({
    sku: string(part(variant, 'sku'), 'variants.sku'),
    optionValues: array(part(variant, 'optionValues'), 'variants.optionValues').map((value) => string(value, 'variants.optionValues')),
    prices: array(part(variant, 'prices'), 'variants.prices').map((price) => ({
      currency: string(part(price, 'currency'), 'variants.prices'),
      amount: number(part(price, 'amount'), 'variants.prices') ?? 0,
      compareAt: number(part(price, 'compareAt'), 'variants.prices'),
    })),
    trackStock: part(variant, 'trackStock') !== false,
    weightGrams: number(part(variant, 'weightGrams'), 'variants.weightGrams'),
    picture: part(variant, 'picture') == null ? null : string(part(variant, 'picture'), 'variants.picture'),
    stock: number(part(variant, 'stock'), 'variants.stock') ?? 0,
  })),
});

const part = (of: unknown, name: string): unknown => (typeof of === 'object' && of !== null ? (of as Record<string, unknown>)[name] : undefined);
function string(value: unknown, field: string): string {
  if (typeof value !== 'string') throw new Misfit(field, `${field} is a text.`);
  return value;
}
function number(value: unknown, field: string): number | null {
  if (value == null) return null;
  if (typeof value !== 'number' || !Number.isInteger(value)) throw new Misfit(field, `${field} is a whole number.`);
  return value;
}
function array(value: unknown, field: string): unknown[] {
  if (value == null) return [];
  if (!Array.isArray(value)) throw new Misfit(field, `${field} is a list.`);
  return value;
}

/** A table that `readCsv` reads again as it was. */
export function writeCsv(products: readonly FiledProduct[]): string {
  const optionNames = [...new Set(products.flatMap((product) => product.options.map((option) => option.name)))];
  const currencies = [...new Set(products.flatMap((product) => product.variants.flatMap((variant) => variant.prices.map((price) => price.currency))))].sort();
  const columns = [...FIXED, ...optionNames.map((name) => `option:${name}`), ...currencies.flatMap((currency) => [`price:${currency}`, `compare_at:${currency}`])];
  const lines = products.flatMap((product) =>
    product.variants.length ? product.variants.map((variant, index) => ({ ...(index ? {} : headOf(product)), ...cellsOf(product, variant) })) : [{ slug: product.slug, ...headOf(product) }],
  );
  return stringify(lines, { header: true, columns });
}

const headOf = (product: FiledProduct) => ({
  title: product.title,
  description: product.description ?? '',
  status: product.status,
  categories: joined(product.categories),
  attributes: joined(product.attributes.map(({ name, value }) => `${name}=${value}`)),
  media: joined(product.media),
  tax_class: product.taxClass,
});

const cellsOf = (product: FiledProduct, variant: FiledVariant): Record<string, string | number | null> => ({
  slug: product.slug,
  sku: variant.sku,
  track_stock: String(variant.trackStock),
  weight_grams: variant.weightGrams,
  picture: variant.picture,
  stock: variant.stock,
  ...Object.fromEntries(product.options.map(({ name }, index) => [`option:${name}`, variant.optionValues[index]!])),
  ...Object.fromEntries(variant.prices.flatMap(({ currency, amount, compareAt }) => [[`price:${currency}`, amount], [`compare_at:${currency}`, compareAt]])),
});
