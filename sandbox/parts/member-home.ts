import { join } from 'node:path';
import { databaseProgram } from '../../core/topology';
import type { DatabaseMember } from '../layout';

/** Where a member of the database keeps its files; all its processes are told so on their command lines. */
export function homeOf(dir: string, { name }: DatabaseMember): string {
  return join(dir, databaseProgram(name));
}
