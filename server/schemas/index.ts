import type { FastifyInstance } from 'fastify';
import { ProblemSchema } from './problem';
import {
  AlertSchema,
  IncidentSchema,
  LockSchema,
  ReportSchema,
  StartedSchema,
  StepSchema,
  SummarySchema,
} from './run';

/** Registers the schemas that others refer to by name; they are the components of the API's description. */
export function installSchemas(app: FastifyInstance): void {
  for (const schema of [
    ProblemSchema,
    AlertSchema,
    StepSchema,
    ReportSchema,
    SummarySchema,
    StartedSchema,
    LockSchema,
    IncidentSchema,
  ])
    app.addSchema(schema);
}
