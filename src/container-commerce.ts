import type { Config } from './config.js';
import type { Database } from './db/database.js';
import type { UnitOfWork } from './db/unit-of-work.js';
import type { Clock } from './lib/clock.js';
import type { Logger } from './lib/logger.js';
import type { Gateways } from './payments/contract.js';
import { manualGateway } from './payments/manual.js';
import { SandboxGateway } from './payments/sandbox.js';
import { StripeGateway } from './payments/stripe.js';
import { ProductLinks } from './policies/product-links.js';
import {
  CartCardResolver, CartLineResolver, CartResolver, CartShareResolver, CartVerbsResolver, CART_EVENT_RESOLVERS, ChatCartsResolver, ViewerCartsResolver,
} from './resolvers/carts.js';
import { GroupBuyCardResolver, GroupBuyChangedResolver, GroupBuyResolver, GroupBuyViewerStateResolver } from './resolvers/group-buys.js';
import { CheckoutQuoteResolver, CheckoutResolver, OrderVerbsResolver, SellingTermsResolver, ShortageResolver } from './resolvers/checkout.js';
import {
  FulfilledLineResolver, FulfillmentResolver, OrderChangedResolver, OrderEventResolver, OrderLineResolver, OrderResolver, OrderShareResolver, OrderTotalsResolver, PaymentResolver, ShippingMethodResolver,
  ShopTermsResolver, ViewerOrdersResolver,
} from './resolvers/orders.js';
import { NotificationProductResolver, PayoutResolver, ShopSalesResolver } from './resolvers/merchant.js';
import { OrderPapersResolver, OrderReturnResolver } from './resolvers/returns.js';
import { SavedAddressResolver, TermChangesResolver, ViewerAddressesResolver } from './resolvers/selling-terms.js';
import { PaymentFindingResolver } from './resolvers/payment-findings.js';
import { CategoryFacetResolver, ProductFacetsResolver, ProductSearchResolver } from './resolvers/product-search.js';
import { ProductPictureResolver } from './resolvers/product-pictures.js';
import { ProductPeopleResolver, ProductVerbsResolver } from './resolvers/product-verbs.js';
import {
  ProductCardResolver, ProductEventResolver, ProductResolver, ProductReviewResolver, ProductVariantResolver, ProductViewerStateResolver, StockLevelResolver,
} from './resolvers/products.js';
import { ProductCategoryResolver, ShopResolver, ShopVerbsResolver, ShopViewerStateResolver, StockLocationResolver, ViewerShopsResolver } from './resolvers/shops.js';
import { AddressBook } from './services/commerce/addresses.js';
import { CartService } from './services/commerce/carts.js';
import { CheckoutService } from './services/commerce/checkout.js';
import { GroupBuySettling } from './services/commerce/group-buy-settling.js';
import { GroupBuyService } from './services/commerce/group-buys.js';
import { InvoiceService } from './services/commerce/invoices.js';
import { OrderService } from './services/commerce/orders.js';
import { PayoutService } from './services/commerce/payouts.js';
import { PaymentHooks } from './services/commerce/payment-hooks.js';
import { PaymentService } from './services/commerce/payments.js';
import { ProductExchange } from './services/commerce/product-exchange.js';
import { ProductSearch } from './services/commerce/product-search.js';
import { CardSender, ProductSharing } from './services/commerce/product-sharing.js';
import { ProductService } from './services/commerce/products.js';
import { Reconciliation } from './services/commerce/reconciliation.js';
import { ReturnService } from './services/commerce/returns.js';
import { ReviewService } from './services/commerce/reviews.js';
import { SandboxTable } from './services/commerce/sandbox-store.js';
import { SellingTerms } from './services/commerce/selling-terms.js';
import { ShopAnalytics } from './services/commerce/shop-analytics.js';
import { ShopService } from './services/commerce/shops.js';
import { StockService } from './services/commerce/stock.js';
import { TermChanges } from './services/commerce/term-changes.js';
import type { FileUrls } from './services/files/file-urls.js';
import type { MessageService } from './services/messages.js';
import type { ModerationGate } from './services/moderation/gate.js';
import type { ObjectStore } from './storage/store.js';

export interface CommerceDeps {
  db: Database;
  unitOfWork: UnitOfWork;
  messages: MessageService;
  /** What the rules of a chat say of what is shared in it. */
  gate: ModerationGate;
  clock: Clock;
  log: Logger;
  config: Config;
  /** Links to files. */
  files: FileUrls;
  /** How links to what is sold look, where there are any. */
  productLinks: ProductLinks | null;
  /** Where invoices are kept. */
  store: ObjectStore;
  /** Further gateways, by the names of their providers, and others in place of ours. */
  gateways: Gateways;
}
export interface Commerce {
  shops: ShopService;
  products: ProductService;
  carts: CartService;
  orders: OrderService;
  paymentHooks: PaymentHooks;
  jobs: { payments: PaymentService; reconciliation: Reconciliation; groupBuys: GroupBuySettling };
  resolvers: object[];
}

/** The part of the container that is about what is sold: shops and their catalogues, carts, and orders with their payments. */
export function makeCommerce(deps: CommerceDeps): Commerce {
  const { db, unitOfWork, messages, gate, clock, log, config, gateways, files, productLinks } = deps;
  const shops = new ShopService(db.sql, unitOfWork);
  const products = new ProductService(db.sql, unitOfWork);
  const reviews = new ReviewService(unitOfWork);
  const cards = new CardSender(db.sql, messages);
  const carts = new CartService(db.sql, unitOfWork, cards, gate);
  const all = { ...ownGateways(config, db), ...gateways };
  const payments = new PaymentService(db, unitOfWork, all, offered(config, all), clock, log, config.PLATFORM_FEE_BPS);
  const reconciliation = new Reconciliation(db, unitOfWork, all, payments, clock, log);
  const orders = new OrderService(db.sql, unitOfWork, payments);
  const groupBuys = new GroupBuySettling(db, unitOfWork, payments, clock, log);
  const terms = new SellingTerms(db.sql, unitOfWork);
  return {
    shops,
    products,
    carts,
    orders,
    paymentHooks: new PaymentHooks(db.sql, all, payments, reconciliation),
    jobs: { payments, reconciliation, groupBuys },
    resolvers: [
      new ShopResolver(shops, products), new ShopViewerStateResolver(), new ProductCategoryResolver(), new StockLocationResolver(), new ViewerShopsResolver(shops), new ShopVerbsResolver(shops),
      new ProductResolver(products, reviews, productLinks), new ProductViewerStateResolver(), new ProductReviewResolver(), new ProductVariantResolver(), new StockLevelResolver(), new ProductCardResolver(), new ProductEventResolver(), new ProductPictureResolver(files),
      new ProductVerbsResolver(products, new StockService(unitOfWork), new ProductExchange(db.sql, unitOfWork)), new ProductPeopleResolver(reviews, new ProductSharing(db.sql, cards)),
      new ProductSearchResolver(new ProductSearch(db.sql)), new ProductFacetsResolver(), new CategoryFacetResolver(),
      new CartResolver(carts), new CartLineResolver(), new CartShareResolver(), new CartCardResolver(), new CartVerbsResolver(carts), new ViewerCartsResolver(carts), new ChatCartsResolver(carts),
      ...CART_EVENT_RESOLVERS.map((resolver) => new resolver()),
      new GroupBuyResolver(new GroupBuyService(db.sql, unitOfWork, cards, payments, groupBuys, gate)), new GroupBuyViewerStateResolver(), new GroupBuyCardResolver(), new GroupBuyChangedResolver(),
      new CheckoutResolver(new CheckoutService(db.sql, unitOfWork, payments)), new CheckoutQuoteResolver(), new ShortageResolver(), new OrderVerbsResolver(orders), new PaymentFindingResolver(reconciliation),
      ...merchants(deps, payments), new SellingTermsResolver(terms),
      new OrderResolver(orders), new OrderTotalsResolver(), new OrderLineResolver(), new OrderShareResolver(), new PaymentResolver(), new FulfillmentResolver(), new FulfilledLineResolver(),
      new OrderEventResolver(), new OrderChangedResolver(), new ViewerOrdersResolver(orders), new ShopTermsResolver(terms), new ShippingMethodResolver(),
    ],
  };
}

/** How links to what is sold look; null where no app is known that shows it. */
export function makeProductLinks({ PRODUCT_URL, PUBLIC_URL }: Config): ProductLinks | null {
  const pattern = PRODUCT_URL ?? (PUBLIC_URL === undefined ? undefined : `${PUBLIC_URL.replace(/\/+$/, '')}/shops/{shop}/products/{product}`);
  return pattern === undefined ? null : new ProductLinks(pattern);
}

function ownGateways(config: Config, db: Database): Gateways {
  const { STRIPE_SECRET_KEY: secretKey, STRIPE_WEBHOOK_SECRET: webhookSecret = null, STRIPE_URL: url, STRIPE_TIMEOUT, PUBLIC_URL, STRIPE_RETURN_URL: returnUrl = PUBLIC_URL ?? 'https://example.com' } = config;
  const stripe: Gateways = secretKey === undefined ? {} : { stripe: new StripeGateway({ secretKey, webhookSecret, url, returnUrl, timeoutMs: STRIPE_TIMEOUT * 1000 }) };
  return { sandbox: new SandboxGateway(new SandboxTable(db.sql)), manual: manualGateway, ...stripe };
}

/** By whom an order may be paid. The sandbox stays known where it is not offered: what was ordered by it before goes on. */
function offered({ SANDBOX_PAYMENTS, STRIPE_SECRET_KEY }: Config, all: Gateways): Set<string> {
  const sandbox = SANDBOX_PAYMENTS ?? STRIPE_SECRET_KEY === undefined;
  return new Set(Object.keys(all).filter((provider) => sandbox || provider !== 'sandbox'));
}

/** What those who sell do beside sending, and those who buy beside buying. */
function merchants({ db, unitOfWork, store, clock }: CommerceDeps, payments: PaymentService): object[] {
  const book = new AddressBook(db.sql, unitOfWork);
  return [
    new OrderReturnResolver(new ReturnService(unitOfWork, payments)), new OrderPapersResolver(new InvoiceService(db.sql, unitOfWork, store, clock)), new PayoutResolver(new PayoutService(db.sql, unitOfWork)),
    new ShopSalesResolver(new ShopAnalytics(db.sql)), new NotificationProductResolver(), new TermChangesResolver(new TermChanges(db.sql, unitOfWork)), new SavedAddressResolver(book), new ViewerAddressesResolver(book),
  ];
}
