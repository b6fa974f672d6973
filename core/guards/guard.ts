/** One rule: its name, and why it refuses an act, or null. */
export interface Guard<Question> {
  name: string;
  refuses: (question: Question) => string | null;
}

export function because(why: string | null, consequence: string): string | null {
  return why === null ? null : `${consequence}, ${why}`;
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
