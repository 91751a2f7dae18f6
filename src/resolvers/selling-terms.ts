import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { decodeId, encodeId } from '../lib/ids.js';
import {
  DeleteAddressInput, DeleteAddressPayload, DeleteShippingMethodInput, DeleteShippingMethodPayload, DeleteTaxRuleInput, DeleteTaxRulePayload, EndGiftCardInput, EndGiftCardPayload, SaveAddressInput, SaveAddressPayload,
  SavedAddressType, TaxRuleType, UpdateDiscountInput, UpdateDiscountPayload, UpdateShippingMethodInput, UpdateShippingMethodPayload,
} from '../schema/selling-terms.js';
import { ShopType } from '../schema/shop.js';
import { ViewerType } from '../schema/viewer.js';
import type { AddressBook, SavedAddress } from '../services/commerce/addresses.js';
import type { TaxRuleRow } from '../services/commerce/selling-terms.js';
import type { TermChanges } from '../services/commerce/term-changes.js';
import type { ShopRow } from '../services/loaders/shops.js';
import { addressOf } from './checkout.js';
import type { Context } from './context.js';

/** Changes and ends the terms on which a shop sells. */
@Resolver(() => ShopType)
export class TermChangesResolver {
  constructor(private readonly terms: TermChanges) {}

  @Mutation(() => UpdateShippingMethodPayload)
  async updateShippingMethod(@Arg('input', () => UpdateShippingMethodInput) { shippingMethodId, ...change }: UpdateShippingMethodInput, @Ctx() context: Context): Promise<object> {
    return { shippingMethod: await this.terms.updateShipping(context.requireViewer(), decodeId('ShippingMethod', shippingMethodId, 'shippingMethodId'), change) };
  }

  @Mutation(() => DeleteShippingMethodPayload)
  async deleteShippingMethod(@Arg('input', () => DeleteShippingMethodInput) { shippingMethodId }: DeleteShippingMethodInput, @Ctx() context: Context): Promise<object> {
    await this.terms.deleteShipping(context.requireViewer(), decodeId('ShippingMethod', shippingMethodId, 'shippingMethodId'));
    return { shippingMethodId };
  }

  @Mutation(() => DeleteTaxRulePayload)
  async deleteTaxRule(@Arg('input', () => DeleteTaxRuleInput) { shopId, country, taxClass }: DeleteTaxRuleInput, @Ctx() context: Context): Promise<object> {
    await this.terms.deleteTaxRule(context.requireViewer(), decodeId('Shop', shopId, 'shopId'), country, taxClass);
    return { country, taxClass };
  }

  @Mutation(() => UpdateDiscountPayload)
  async updateDiscount(@Arg('input', () => UpdateDiscountInput) { discountId, ...change }: UpdateDiscountInput, @Ctx() context: Context): Promise<object> {
    return { ...(await this.terms.updateDiscount(context.requireViewer(), decodeId('Discount', discountId, 'discountId'), change)), discountId };
  }

  @Mutation(() => EndGiftCardPayload, { description: 'What is left on it is the shop’s again.' })
  async endGiftCard(@Arg('input', () => EndGiftCardInput) { giftCardId }: EndGiftCardInput, @Ctx() context: Context): Promise<object> {
    await this.terms.endGiftCard(context.requireViewer(), decodeId('GiftCard', giftCardId, 'giftCardId'));
    return { giftCardId };
  }

  @FieldResolver(() => [TaxRuleType], { description: 'By country and class; at most 500.' })
  taxRules(@Root() shop: ShopRow): Promise<TaxRuleRow[]> {
    return this.terms.taxRules(shop.id);
  }
}

@Resolver(() => SavedAddressType)
export class SavedAddressResolver {
  constructor(private readonly book: AddressBook) {}

  @Mutation(() => SaveAddressPayload, { description: 'Keeps an address for the next order.' })
  async saveAddress(@Arg('input', () => SaveAddressInput) { addressId, label, address }: SaveAddressInput, @Ctx() context: Context): Promise<object> {
    const viewer = context.requireViewer();
    const id = addressId == null ? null : decodeId('SavedAddress', addressId, 'addressId');
    return { address: await this.book.save(viewer, id, { label: label ?? null, address: addressOf(address) }) };
  }

  @Mutation(() => DeleteAddressPayload)
  async deleteAddress(@Arg('input', () => DeleteAddressInput) { addressId }: DeleteAddressInput, @Ctx() context: Context): Promise<object> {
    await this.book.remove(context.requireViewer(), decodeId('SavedAddress', addressId, 'addressId'));
    return { addressId };
  }

  @FieldResolver()
  id(@Root() saved: SavedAddress): string {
    return encodeId('SavedAddress', saved.id);
  }
}

@Resolver(() => ViewerType)
export class ViewerAddressesResolver {
  constructor(private readonly book: AddressBook) {}

  @FieldResolver(() => [SavedAddressType], { description: 'Those that the viewer keeps; at most 20.' })
  addresses(@Ctx() context: Context): Promise<SavedAddress[]> {
    return this.book.list(context.requireViewer());
  }
}
