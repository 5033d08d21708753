import { KeeperError } from '../base/errors.ts'
import { NonRetryable } from './task-error.ts'
import type { Handler, TaskMap } from './task-types.ts'

/** What validators such as Zod, Valibot and ArkType have in common. Standard Schema, version 1: standardschema.dev. */
export interface StandardSchema {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult | Promise<SchemaResult>
  }
}

export type SchemaResult =
  | { readonly value: unknown; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/**
 * By the task's name: what its input and its output must be. An input is checked by `add`, which sends it as it is, and again by whoever runs the
 * task, whose handler gets what the schema makes of it; an output is checked before it is committed, as what the schema makes of it.
 */
export type TaskSchemas<M extends TaskMap<M>> = {
  readonly [K in keyof M & string]?: { readonly in?: StandardSchema; readonly out?: StandardSchema }
}

type Schemas = ReadonlyMap<string, { readonly in?: StandardSchema; readonly out?: StandardSchema }>

/** BadArguments: one is no Standard Schema. */
export function checkSchemas(schemas: object = {}): Schemas {
  const byName = new Map(
    Object.entries(schemas) as [string, { readonly in?: StandardSchema; readonly out?: StandardSchema }][],
  )
  for (const [name, { in: input, out: output }] of byName) {
    for (const [side, schema] of [
      ['in', input],
      ['out', output],
    ] as const) {
      if (schema === undefined || typeof schema['~standard']?.validate === 'function') continue
      const path = `schemas.${name}.${side}`
      throw new KeeperError('BadArguments', `${path} must be a Standard Schema`, { path })
    }
  }
  return byName
}

/** BadArguments says what is wrong, and where. */
export async function checkInput(schemas: Schemas, name: string, input: unknown): Promise<void> {
  const schema = schemas.get(name)?.in
  const { issues } = schema === undefined ? { issues: undefined } : await schema['~standard'].validate(input)
  if (issues !== undefined)
    throw new KeeperError('BadArguments', `input of ${name}: ${inWords(issues)}`, { path: 'input' })
}

/** The handler, between its schemas. What does not fit its schema fits it no better the next time: NonRetryable. An output may. */
export function between(schemas: Schemas, name: string, handler: Handler<unknown, unknown>): Handler<unknown, unknown> {
  const { in: input, out: output } = schemas.get(name) ?? {}
  if (input === undefined && output === undefined) return handler
  return async (given, context) => {
    let value = given
    if (input !== undefined) {
      const checked = await input['~standard'].validate(given)
      if (checked.issues !== undefined) throw new NonRetryable(`input of ${name}: ${inWords(checked.issues)}`)
      value = checked.value
    }
    const made = await handler(value, context)
    if (output === undefined) return made
    const checked = await output['~standard'].validate(made)
    if (checked.issues !== undefined) throw new Error(`output of ${name}: ${inWords(checked.issues)}`)
    return checked.value
  }
}

const inWords = (issues: readonly SchemaIssue[]): string =>
  issues
    .map(({ message, path = [] }) => {
      const where = path.map((one) => String(typeof one === 'object' ? one.key : one)).join('.')
      return where === '' ? message : `${where}: ${message}`
    })
    .join('; ')
