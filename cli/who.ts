import { userInfo } from 'node:os';

/** The name under which this person acts in audit and reports: `SWITCHOVER_USER`, else the operating system's user. */
export function whoAmI(): string {
  const named = process.env['SWITCHOVER_USER']?.trim();
  if (named) return named;
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`; // a container's user without an entry in /etc/passwd
  }
}
