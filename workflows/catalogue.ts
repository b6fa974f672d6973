import type { Runbook } from '../core/runbook';
import catalogueJson from '../runbooks/catalogue.json';

/** Every runbook as it was declared when the workflows were bundled. */
export const catalogue = catalogueJson as unknown as readonly Runbook[];
