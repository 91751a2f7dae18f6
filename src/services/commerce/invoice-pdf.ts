import PDFDocument from 'pdfkit';
import { minorDigits } from '../../policies/money.js';
import type { Address } from '../loaders/orders.js';

export interface InvoiceLine {
  title: string;
  sku: string;
  quantity: number;
  unitPrice: number;
  discount: number;
  taxRatePpm: number;
  total: number;
}
export interface Invoice {
  number: string;
  seller: string;
  date: Date;
  currency: string;
  address: Address;
  lines: InvoiceLine[];
  subtotal: number;
  discount: number;
  shipping: number;
  tax: number;
  total: number;
  gift: number;
  paid: number;
}

const LEFT = 50;
const RIGHT = 545;
const BOTTOM = 770;
const COLUMNS = { title: LEFT, quantity: 290, price: 330, tax: 410, total: 470 };

/** An amount of the smallest unit as people write it. */
export function written(amount: number, currency: string): string {
  const digits = minorDigits(currency);
  const whole = BigInt(Math.abs(amount)).toString().padStart(digits + 1, '0');
  const text = digits ? `${whole.slice(0, -digits)}.${whole.slice(-digits)}` : whole;
  return `${amount < 0 ? '-' : ''}${text} ${currency}`;
}

/** The built-in letters of PDF are those of Windows-1252: others are shown by a question mark. */
const letters = (text: string): string => text.normalize('NFC').replace(/[^\u0020-\u007e\u00a0-\u00ff\u20ac\u2013\u2014\u2018\u2019\u201c\u201d\u2026]/gu, '?');

/** An order as a PDF for the books of both. */
export function renderInvoice(invoice: Invoice): Promise<Buffer> {
  const { currency } = invoice;
  const document = new PDFDocument({ size: 'A4', margin: LEFT, info: { Title: `Invoice ${invoice.number}`, Author: letters(invoice.seller), CreationDate: invoice.date } });
  const chunks: Buffer[] = [];
  const whole = new Promise<Buffer>((resolve, reject) => {
    document.on('data', (chunk: Buffer) => chunks.push(chunk));
    document.on('end', () => resolve(Buffer.concat(chunks)));
    document.on('error', reject);
  });
  const { name, line1, line2, postalCode, city, region, country } = invoice.address;
  document.font('Helvetica-Bold').fontSize(18).text(letters(invoice.seller), LEFT, 50);
  document.font('Helvetica').fontSize(10).text(`Invoice ${invoice.number}`, LEFT, 80).text(invoice.date.toISOString().slice(0, 10));
  document.text(letters([name, line1, line2, `${postalCode} ${city}`, region, country].filter(Boolean).join('\n')), LEFT, 120);
  let y = 220;
  const row = (cells: Partial<Record<keyof typeof COLUMNS, string>>, bold = false) => {
    if (y > BOTTOM - 30) {
      document.addPage();
      y = 50;
    }
    document.font(bold ? 'Helvetica-Bold' : 'Helvetica').fontSize(9);
    const height = document.heightOfString(cells.title ?? ' ', { width: 230 });
    for (const [column, text] of Object.entries(cells) as [keyof typeof COLUMNS, string][]) {
      const x = COLUMNS[column];
      if (column === 'title') document.text(text, x, y, { width: 230 });
      else document.text(text, x, y, { width: column === 'total' ? RIGHT - x : 75, align: column === 'total' ? 'right' : 'left' });
    }
    y += height + 6;
  };
  row({ title: 'What', quantity: 'No.', price: 'Each', tax: 'Tax', total: 'Total' }, true);
  document.moveTo(LEFT, y - 2).lineTo(RIGHT, y - 2).stroke();
  for (const line of invoice.lines) {
    row({ title: letters(`${line.title} (${line.sku})`), quantity: String(line.quantity), price: written(line.unitPrice, currency), tax: `${line.taxRatePpm / 10_000} %`, total: written(line.total, currency) });
  }
  document.moveTo(LEFT, y - 2).lineTo(RIGHT, y - 2).stroke();
  const sums: [string, number][] = [['Goods', invoice.subtotal], ['Discount', -invoice.discount], ['Shipping', invoice.shipping], ['Of it tax', invoice.tax]];
  for (const [title, amount] of sums) if (amount !== 0) row({ title, total: written(amount, currency) });
  row({ title: 'Total', total: written(invoice.total, currency) }, true);
  if (invoice.gift) row({ title: 'Paid by gift cards', total: written(invoice.gift, currency) });
  row({ title: invoice.paid + invoice.gift >= invoice.total ? 'Paid' : 'Paid so far', total: written(invoice.paid, currency) });
  document.end();
  return whole;
}
