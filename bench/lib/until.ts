/** Asks again and again until the answer is not false, null or undefined. @throws Error after a minute, naming `what` */
export async function until<T>(
  what: string,
  ask: () => Promise<T>,
): Promise<Exclude<T, false | null | undefined>> {
  for (const end = Date.now() + 60_000; Date.now() < end;) {
    const answer = await ask();
    if (answer) return answer as Exclude<T, false | null | undefined>;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`waited a minute in vain until ${what}`);
}
