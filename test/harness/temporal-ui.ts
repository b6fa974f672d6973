import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, type Browser, type Locator, type Page } from 'playwright-core';
import { ROOT, tool } from '../../sandbox/tools';

const IMAGES = join(ROOT, 'docs', 'images');
const LIMIT_MS = 20_000;
const SIZE = { width: 1280, height: 800 };
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Columns a person would choose for the list of workflows. The UI keeps the choice in the browser. */
const COLUMNS = ['Status', 'Workflow ID', 'RunState', 'Scope', 'Mode', 'Incident', 'Start'];
const CHOSEN = JSON.stringify({ default: COLUMNS.map((label) => ({ label })) });

/** The Temporal UI in a real Chromium, operated as a person would: by what its pages show. */
export class TemporalUi {
  private constructor(
    private readonly workflows: string,
    private readonly browser: Browser,
    readonly page: Page,
  ) {}

  /** @param url of the UI */
  static async open(url: string): Promise<TemporalUi> {
    const browser = await chromium.launch({ executablePath: tool('chromium'), args: FLAGS });
    const page = await browser.newPage({ viewport: SIZE, timezoneId: 'UTC' });
    page.setDefaultTimeout(LIMIT_MS);
    await page.addInitScript(`localStorage.setItem('namespace-workflow-table-columns', '${CHOSEN}')`);
    return new TemporalUi(`${url}/namespaces/default/workflows`, browser, page);
  }

  /** Opens the list of workflows that `query` finds. */
  async list(query: string): Promise<void> {
    await this.page.goto(`${this.workflows}?query=${encodeURIComponent(query)}`);
  }

  /** The line of the list that is about this workflow. */
  line(workflowId: string): Locator {
    return this.page.getByRole('row').filter({ hasText: workflowId });
  }

  /** Opens the start form by its link. */
  async openForm(query: URLSearchParams): Promise<void> {
    await this.page.goto(`${this.workflows}/start-workflow?${query.toString()}`);
  }

  /** Opens the start form by the button on the workflow's line of the list. */
  async openFormLike(workflowId: string): Promise<void> {
    await this.line(workflowId).getByRole('button', { name: 'Start Workflow Like This One' }).click();
  }

  /** What the start form holds once it is filled in. */
  async form(): Promise<{ workflowType: string; taskQueue: string; request: unknown }> {
    const data = this.page.getByLabel('Data');
    await data.filter({ hasText: '{' }).waitFor();
    return {
      workflowType: await this.page.getByLabel('Workflow Type').inputValue(),
      taskQueue: await this.page.getByLabel('Task Queue').inputValue(),
      request: JSON.parse(await data.innerText()),
    };
  }

  /** Puts a request into the start form and presses its button. */
  async submit(workflowId: string, request: unknown): Promise<void> {
    await this.page.getByLabel('Workflow ID').fill(workflowId);
    await this.paste(this.page.getByLabel('Data'), request);
    await this.page.getByTestId('start-workflow-button').click();
  }

  /** Goes to the workflow that the form has just started. */
  async follow(): Promise<void> {
    await this.page.getByRole('link', { name: 'Workflow started successfully' }).click();
    await this.page.getByRole('tab', { name: 'Timeline' }).waitFor();
  }

  /** Opens the page of a workflow once the UI says that it has this status. */
  async show(workflowId: string, status: 'Completed' | 'Failed'): Promise<void> {
    await this.page.goto(`${this.workflows}/${workflowId}`);
    await this.page.getByRole('status').filter({ hasText: status }).waitFor();
  }

  async tab(name: 'Timeline' | 'User Metadata'): Promise<void> {
    await this.page.getByRole('tab', { name }).click();
  }

  /** Waits until the run's live Markdown shows this text, asking for fresh details as a person does, with the R key. */
  async details(text: string): Promise<void> {
    await this.tab('User Metadata');
    const shown = this.page.frameLocator('#user-metadata-current-details').getByText(text).first();
    for (const deadline = Date.now() + LIMIT_MS; ;) {
      const found = await shown.waitFor({ timeout: 1_000 }).then(
        () => true,
        () => false,
      );
      if (found) return;
      if (Date.now() > deadline) throw new Error(`the current details do not show "${text}"`);
      await this.page.keyboard.press('r');
    }
  }

  /** Opens the dialog of updates, chooses one and fills in what is sent with it. */
  async prepareUpdate(name: string, argument: unknown): Promise<Locator> {
    await this.page.getByRole('button', { name: 'More Actions' }).click();
    await this.page.getByRole('menuitem', { name: 'Send an Update' }).click();
    const dialog = this.page.getByRole('dialog', { name: 'Send an Update' });
    await dialog.getByRole('button', { name: 'Select an Update' }).click();
    await dialog.getByRole('option', { name }).click();
    await this.paste(dialog.getByLabel('Data'), argument);
    return dialog;
  }

  /** A picture for the documentation, taken only where SCREENSHOTS=1 asks for it. @param height of the window, pixels */
  async picture(name: string, height = SIZE.height): Promise<void> {
    if (process.env['SCREENSHOTS'] !== '1') return;
    await mkdir(IMAGES, { recursive: true });
    await this.page.setViewportSize({ ...SIZE, height });
    await this.page.screenshot({ path: join(IMAGES, `temporal-ui-${name}.png`), animations: 'disabled' });
    await this.page.setViewportSize(SIZE);
  }

  async close(): Promise<void> {
    await this.browser.close();
  }

  /** Replaces what an editor holds. Pasted, because the editor closes the brackets of whoever types. */
  private async paste(editor: Locator, value: unknown): Promise<void> {
    await editor.click();
    await this.page.keyboard.press('ControlOrMeta+A');
    await this.page.keyboard.insertText(JSON.stringify(value, null, 2));
  }
}
