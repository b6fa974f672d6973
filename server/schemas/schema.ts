import { Type, type ObjectOptions, type SchemaOptions, type Static, type TSchema } from '@sinclair/typebox';

/** An object with these fields and no others. */
export const object = <T extends Record<string, TSchema>>(fields: T, about: ObjectOptions = {}) =>
  Type.Object(fields, { additionalProperties: false, ...about });

/** One of these texts. */
export const oneOf = <const T extends string>(values: readonly T[], about: SchemaOptions = {}) =>
  Type.Unsafe<T>({ type: 'string', enum: [...values], ...about });

/** A point in time, ISO 8601. */
export const Time = Type.String({ format: 'date-time', examples: ['2030-01-02T03:04:05.678Z'] });

/** The schema registered under this id. */
export const named = <T>(id: string) => Type.Unsafe<T>({ $ref: `${id}#` });

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? unknown : never) : never;

/** Compiles only while the schema describes exactly the type `T`, so that the API's description cannot drift from it. */
export const exactly =
  <T>() =>
  <S extends TSchema>(schema: S & Same<Static<S>, T>): S =>
    schema;
