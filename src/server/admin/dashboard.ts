import type { OwnPage } from '../own-page.js';
import { PAGE, STYLE } from './page.js';
import { SCRIPT } from './script.js';

/** `/admin`: for those who run the place. */
export const DASHBOARD: OwnPage = { title: 'dashboard', style: STYLE, body: PAGE, script: SCRIPT };
