// Vendure's shop API on a catalogue that is made by SQL: the commerce framework for Node on TypeORM and NestJS. It is GPL: it runs beside us and is imported nowhere.
import { scryptSync, timingSafeEqual } from 'node:crypto';
import {
  bootstrap, ChannelService, CountryService, DefaultLogger, DefaultSearchPlugin, LanguageCode, LogLevel, RequestContextService, TaxCategoryService, TaxRateService, ZoneService,
} from '@vendure/core';
import pg from 'pg';

const { PORT, DATABASE_URL } = process.env;
const hashed = (text) => scryptSync(text, 'bench', 32);
const app = await bootstrap({
  apiOptions: { port: Number(PORT), hostname: '127.0.0.1', shopApiPath: 'shop-api', adminApiPath: 'admin-api' },
  authOptions: {
    tokenMethod: ['bearer'], superadminCredentials: { identifier: 'bench', password: 'bench' },
    // The default wants a native module.
    passwordHashingStrategy: { hash: async (text) => hashed(text).toString('hex'), check: async (text, hash) => timingSafeEqual(hashed(text), Buffer.from(hash, 'hex')) },
  },
  dbConnectionOptions: { type: 'postgres', url: DATABASE_URL, schema: 'vendure', synchronize: true, logging: false, poolSize: 10 },
  logger: new DefaultLogger({ level: LogLevel.Warn }),
  paymentOptions: { paymentMethodHandlers: [] },
  plugins: [DefaultSearchPlugin.init({ bufferUpdates: false, indexStockStatus: true })],
});

const ctx = await app.get(RequestContextService).create({ apiType: 'admin' });
const country = await app.get(CountryService).create(ctx, { code: 'CH', enabled: true, translations: [{ languageCode: LanguageCode.en, name: 'Switzerland' }] });
const zone = await app.get(ZoneService).create(ctx, { name: 'Home', memberIds: [country.id] });
const category = await app.get(TaxCategoryService).create(ctx, { name: 'Standard', isDefault: true });
await app.get(TaxRateService).create(ctx, { name: 'VAT', enabled: true, value: 8.1, categoryId: category.id, zoneId: zone.id });
const channel = await app.get(ChannelService).getDefaultChannel(ctx);
await app.get(ChannelService).update(ctx, { id: channel.id, defaultTaxZoneId: zone.id, defaultShippingZoneId: zone.id, defaultCurrencyCode: 'CHF', availableCurrencyCodes: ['CHF'], pricesIncludeTax: true });

const sql = new pg.Client({ connectionString: DATABASE_URL });
await sql.connect();
await sql.query(`
set search_path = vendure;
insert into product (id, enabled) select n, true from public.bench_catalogue;
insert into product_translation ("languageCode", name, slug, description, "baseId") select 'en', title, slug, description, n from public.bench_catalogue;
insert into product_channels_channel select n, ${channel.id} from public.bench_catalogue;
insert into product_variant (id, enabled, sku, "outOfStockThreshold", "useGlobalOutOfStockThreshold", "trackInventory", "taxCategoryId", "productId")
  select n * 2 + v, true, 'sku-' || n || '-' || v, 0, false, 'TRUE', ${category.id}, n from public.bench_catalogue, generate_series(0, 1) v;
insert into product_variant_translation ("languageCode", name, "baseId") select 'en', title || ' ' || v, n * 2 + v from public.bench_catalogue, generate_series(0, 1) v;
insert into product_variant_price ("currencyCode", "channelId", price, "variantId") select 'CHF', ${channel.id}, price + v * 100, n * 2 + v from public.bench_catalogue, generate_series(0, 1) v;
insert into product_variant_channels_channel select n * 2 + v, ${channel.id} from public.bench_catalogue, generate_series(0, 1) v;
insert into stock_level ("stockOnHand", "stockAllocated", "productVariantId", "stockLocationId") select stock, 0, n * 2 + v, 1 from public.bench_catalogue, generate_series(0, 1) v;
insert into search_index_item ("languageCode", enabled, "productName", "productVariantName", description, slug, sku, "facetIds", "facetValueIds", "collectionIds", "collectionSlugs", "channelIds", "productPreview",
    "productVariantPreview", "inStock", "productInStock", "productVariantId", "channelId", "productId", price, "priceWithTax")
  select 'en', true, title, title || ' ' || v, description, slug, 'sku-' || n || '-' || v, '', '', '', '', '${channel.id}', '', '', stock > 0, stock > 0, n * 2 + v, ${channel.id}, n, price + v * 100, price + v * 100
  from public.bench_catalogue, generate_series(0, 1) v;
analyze`);
await sql.end();
console.log('listening');
