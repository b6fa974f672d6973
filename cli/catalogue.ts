import type { Runbook } from '../core/runbook';
import catalogueJson from '../runbooks/catalogue.json';

/** Every runbook. The same as `operations` exports, without loading a Temporal client for it. */
export const catalogue = catalogueJson as unknown as readonly Runbook[];
