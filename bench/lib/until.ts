/** Asks again and again until the answer is not false, null or undefined. @throws Error when it is not in time, naming `what` */
export async function until<T>(
  what: string,
  ask: () => Promise<T>,
  withinMs = 60_000,
): Promise<Exclude<T, false | null | undefined>> {
  for (const end = Date.now() + withinMs; Date.now() < end;) {
    const answer = await ask();
    if (answer) return answer as Exclude<T, false | null | undefined>;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`waited ${withinMs} ms in vain until ${what}`);
}
