import { DomainError, invalidInput } from '../../lib/errors.js';
import { boundedInt, cleanText, distinct } from '../../lib/validate.js';
import { checkAmount, checkCurrency } from '../../policies/money.js';
import { cleanPicture, type GivenPicture } from './product-pictures.js';
import type { ProductAttribute, ProductOption, VariantPrice } from '../loaders/products.js';

export const MAX_VARIANTS = 100;
const MAX_OPTIONS = 3;
const MAX_VALUES = 50;
const MAX_ATTRIBUTES = 50;
const MAX_CATEGORIES = 10;
const MAX_MEDIA = 20;
const MAX_CURRENCIES = 20;
export const MAX_STOCK = 1_000_000_000;

export interface GivenPrice {
  amount: number;
  currency: string;
  compareAt?: number | null;
}
/** A variant as it is given; known by its sku. */
export interface GivenVariant {
  sku: string;
  optionValues?: string[] | null;
  prices: GivenPrice[];
  trackStock?: boolean | null;
  weightGrams?: number | null;
  picture?: GivenPicture | null;
  /** On hand at the first location, of a variant that is new. */
  stock?: number | null;
}
export interface GivenProduct {
  slug?: string | null;
  title: string;
  description?: string | null;
  options?: ProductOption[] | null;
  attributes?: ProductAttribute[] | null;
  categoryIds?: string[] | null;
  media?: GivenPicture[] | null;
  taxClass?: string | null;
  variants: GivenVariant[];
}

export interface VariantValues {
  sku: string;
  optionValues: string[];
  prices: VariantPrice[];
  trackStock: boolean;
  weightGrams: number | null;
  picture: string | null;
  stock: number;
}
export interface ProductValues {
  /** Null: made of the title. */
  slug: string | null;
  title: string;
  description: string | null;
  options: ProductOption[];
  attributes: ProductAttribute[];
  categoryIds: string[];
  media: string[];
  taxClass: string;
  variants: VariantValues[];
}

const SLUG = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;

/** Whether it could be a slug at all: of what could not, nothing is looked for. */
export const isSlug = (text: string): boolean => text.length <= 100 && SLUG.test(text);

/** The name of something in an address. Throws INVALID_INPUT. */
export function cleanSlug(slug: string, field: string): string {
  if (!isSlug(slug)) throw invalidInput(field, `${field} is of a–z, 0–9 and single hyphens, at most 100 characters.`);
  return slug;
}

/** A slug made of a title; empty when nothing of it can stand in an address. */
export const slugOf = (title: string): string =>
  title.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replace(/ß/g, 'ss').replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 80).replace(/-+$/, '');

export const cleanTaxClass = (name: string, field: string): string => cleanSlug(cleanText(name, { field, maxBytes: 40 }), field);

const text = (value: string, field: string, maxBytes: number) => cleanText(value, { field, maxBytes });

function allDifferent(values: readonly string[], field: string, what: string): void {
  if (new Set(values).size < values.length) throw invalidInput(field, `Two ${what} are the same.`);
}

function cleanPrices(given: readonly GivenPrice[]): VariantPrice[] {
  if (given.length > MAX_CURRENCIES) throw invalidInput('variants.prices', `A variant has prices in at most ${MAX_CURRENCIES} currencies.`);
  const prices = given.map(({ amount, currency, compareAt }) => ({
    currency: checkCurrency(currency, 'variants.prices.currency'),
    amount: checkAmount(amount, 'variants.prices.amount'),
    compareAt: compareAt == null ? null : checkAmount(compareAt, 'variants.prices.compareAt', amount),
  }));
  allDifferent(prices.map((price) => price.currency), 'variants.prices', 'prices of a variant');
  return prices.sort((a, b) => (a.currency < b.currency ? -1 : 1));
}

function cleanVariant(given: GivenVariant, options: readonly ProductOption[]): VariantValues {
  const optionValues = (given.optionValues ?? []).map((value) => text(value, 'variants.optionValues', 64));
  if (optionValues.length !== options.length || optionValues.some((value, index) => !options[index]!.values.includes(value))) {
    throw invalidInput('variants.optionValues', 'A variant has one value of each option of the product, in their order.');
  }
  return {
    sku: text(given.sku, 'variants.sku', 64),
    optionValues,
    prices: cleanPrices(given.prices),
    trackStock: given.trackStock ?? true,
    weightGrams: given.weightGrams == null ? null : boundedInt(given.weightGrams, 'variants.weightGrams', 0, 100_000_000),
    picture: given.picture == null ? null : cleanPicture(given.picture, 'variants.picture'),
    stock: given.stock == null ? 0 : boundedInt(given.stock, 'variants.stock', 0, MAX_STOCK),
  };
}

function cleanAttribute({ name, value }: ProductAttribute): ProductAttribute {
  // It stands between name and value where they are one text: in facets, and in tables.
  if (name.includes('=')) throw invalidInput('attributes.name', 'The name of an attribute holds no =.');
  return { name: text(name, 'attributes.name', 64), value: text(value, 'attributes.value', 256) };
}

/** A product as it may be stored. Throws INVALID_INPUT. */
export function cleanProduct(given: GivenProduct): ProductValues {
  const options = (given.options ?? []).map(({ name, values }) => ({ name: text(name, 'options.name', 64), values: values.map((value) => text(value, 'options.values', 64)) }));
  if (options.length > MAX_OPTIONS) throw invalidInput('options', `A product has at most ${MAX_OPTIONS} options.`);
  allDifferent(options.map((option) => option.name), 'options', 'options');
  for (const { values } of options) {
    if (!values.length || values.length > MAX_VALUES) throw invalidInput('options.values', `An option has 1 to ${MAX_VALUES} values.`);
    allDifferent(values, 'options.values', 'values of an option');
  }
  if (given.variants.length > MAX_VARIANTS) throw invalidInput('variants', `A product has at most ${MAX_VARIANTS} variants.`);
  const variants = given.variants.map((variant) => cleanVariant(variant, options));
  allDifferent(variants.map((variant) => variant.sku), 'variants.sku', 'skus');
  allDifferent(variants.map((variant) => JSON.stringify(variant.optionValues)), 'variants.optionValues', 'variants');
  const attributes = given.attributes ?? [];
  if (attributes.length > MAX_ATTRIBUTES) throw invalidInput('attributes', `A product has at most ${MAX_ATTRIBUTES} attributes.`);
  return {
    slug: given.slug == null ? null : cleanSlug(given.slug, 'slug'),
    title: text(given.title, 'title', 256),
    description: given.description == null ? null : cleanText(given.description, { field: 'description', maxBytes: 16 * 1024, multiline: true }),
    options,
    attributes: attributes.map(cleanAttribute),
    categoryIds: distinct(given.categoryIds ?? [], 'categoryIds', MAX_CATEGORIES),
    media: distinct((given.media ?? []).map((picture) => cleanPicture(picture, 'media')), 'media', MAX_MEDIA),
    taxClass: given.taxClass == null ? 'standard' : cleanTaxClass(given.taxClass, 'taxClass'),
    variants,
  };
}

/** By which products are filtered: an attribute in one spelling. */
export const facetOf = ({ name, value }: ProductAttribute): string => `${name.toLowerCase()}=${value.toLowerCase()}`;

export const noSuch = (what: string, field: string): DomainError => new DomainError('NOT_FOUND', `There is no such ${what}.`, { field });
