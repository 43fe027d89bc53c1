// SPDX-License-Identifier: MIT
'use strict'
/*
 * Prisma's client for Python sends GraphQL; the WASM engine understands the JSON protocol alone. Requests are rewritten
 * as text, so that numbers keep their digits, and the tagged values of answers ({"$type", "value"}) are unwrapped.
 */
const { parse, Kind } = require('graphql')

const quote = JSON.stringify

// GraphQL operation = prefix + model + suffix; the longer names come first.
const ACTIONS = [
  ['findUnique', 'OrThrow', 'findUniqueOrThrow'],
  ['findFirst', 'OrThrow', 'findFirstOrThrow'],
  ...['findUnique', 'findFirst', 'findMany', 'createOne', 'createMany', 'updateOne', 'updateMany', 'deleteOne',
    'deleteMany', 'upsertOne', 'aggregate', 'groupBy'].map((name) => [name, '', name]),
]

function splitOperation(name, models) {
  if (name === 'queryRaw' || name === 'executeRaw') return { action: name }
  for (const [prefix, suffix, action] of ACTIONS) {
    if (!name.startsWith(prefix) || !name.endsWith(suffix)) continue
    const model = name.slice(prefix.length, name.length - suffix.length)
    if (models.has(model)) return { action, model }
  }
  throw Object.assign(new Error(`unknown operation ${name}`), { status: 422 })
}

const listText = (value, each) => '[' + value.values.map(each).join(',') + ']'
const objectText = (value, each) =>
  '{' + value.fields.map((field) => `${quote(field.name.value)}:${each(field.name.value, field.value)}`).join(',') + '}'

/** A GraphQL literal as JSON text. */
function valueText(value) {
  switch (value.kind) {
    case Kind.STRING:
    case Kind.ENUM:
      return quote(value.value)
    case Kind.INT:
      return Number.isSafeInteger(Number(value.value)) ? value.value : `{"$type":"BigInt","value":${quote(value.value)}}`
    case Kind.FLOAT:
      return String(Number(value.value))
    case Kind.BOOLEAN:
      return value.value ? 'true' : 'false'
    case Kind.NULL:
      return 'null'
    case Kind.LIST:
      return listText(value, valueText)
    case Kind.OBJECT:
      return objectText(value, (_, inner) => valueText(inner))
    default:
      throw new Error(`unsupported GraphQL value ${value.kind}`)
  }
}

/*
 * In GraphQL the value of a Json field is a string of JSON text. In the JSON protocol a bare string would be that very
 * string, so the values of Json fields are tagged, and only the schema says which fields those are.
 */
const JSON_OPERANDS = new Set(['equals', 'not', 'set', 'push', 'lt', 'lte', 'gt', 'gte',
  'array_contains', 'array_starts_with', 'array_ends_with'])

function jsonText(value) {
  if (value.kind === Kind.STRING) return `{"$type":"Json","value":${quote(value.value)}}`
  if (value.kind === Kind.LIST) return listText(value, jsonText)
  if (value.kind === Kind.OBJECT) {
    return objectText(value, (key, inner) => (JSON_OPERANDS.has(key) ? jsonText(inner) : valueText(inner)))
  }
  return valueText(value)
}

/** An object whose keys are the model's fields: data, where, cursor. Other keys combine such objects (AND, OR, a_b). */
function modelText(value, model, models) {
  if (value.kind === Kind.LIST) return listText(value, (item) => modelText(item, model, models))
  if (value.kind !== Kind.OBJECT) return valueText(value)
  return objectText(value, (key, inner) => {
    const field = models.get(model).get(key)
    if (!field) return modelText(inner, model, models)
    if (field.json) return jsonText(inner)
    return field.model ? relationText(inner, field.model, models) : valueText(inner)
  })
}

// Keys below a relation field: nested writes and filters, by what their values are keyed with.
const OF_MODEL = new Set(['create', 'connect', 'delete', 'deleteMany', 'set', 'disconnect', 'is', 'isNot', 'some', 'every',
  'none', 'where', 'data'])
const OF_OPERATION = new Set(['update', 'updateMany', 'upsert', 'connectOrCreate', 'createMany', 'skipDuplicates'])

function relationText(value, model, models) {
  if (value.kind === Kind.LIST) return listText(value, (item) => relationText(item, model, models))
  if (value.kind !== Kind.OBJECT) return valueText(value)
  const nested = value.fields.every(({ name }) => OF_MODEL.has(name.value) || OF_OPERATION.has(name.value))
  if (!nested) return modelText(value, model, models)
  return objectText(value, (key, inner) =>
    OF_MODEL.has(key) ? modelText(inner, model, models) : relationText(inner, model, models))
}

const KEYED_BY_FIELDS = new Set(['where', 'data', 'create', 'update', 'cursor', 'having'])

function argumentsText(given, model, models) {
  const texts = (given || []).map(({ name, value }) => {
    const text = model && KEYED_BY_FIELDS.has(name.value) ? modelText(value, model, models) : valueText(value)
    return `${quote(name.value)}:${text}`
  })
  return '{' + texts.join(',') + '}'
}

function queryText({ arguments: given, selectionSet }, model, models) {
  const selections = new Map()
  for (const field of selectionSet ? selectionSet.selections : []) {
    if (field.kind !== Kind.FIELD) throw new Error(`unsupported selection ${field.kind}`)
    const known = model && models.get(model).get(field.name.value)
    const nested = field.selectionSet || (field.arguments && field.arguments.length)
    selections.set(field.name.value, nested ? queryText(field, known && known.model, models) : 'true')
  }
  const selection = [...selections].map(([name, text]) => `${quote(name)}:${text}`).join(',')
  return `{"arguments":${argumentsText(given, model, models)},"selection":{${selection}}}`
}

/** A GraphQL request as {body: JSON protocol text, alias: the name its answer goes by}. */
function translate(text, models) {
  const document = parse(text, { noLocation: true })
  const [operation] = document.definitions
  if (document.definitions.length !== 1 || operation.selectionSet.selections.length !== 1) {
    throw new Error('expected one operation with one field')
  }
  const [field] = operation.selectionSet.selections
  const { action, model } = splitOperation(field.name.value, models)
  const named = model ? `"modelName":${quote(model)},` : ''
  const body = `{${named}"action":${quote(action)},"query":${queryText(field, model, models)}}`
  return { body, alias: field.alias ? field.alias.value : field.name.value }
}

function untag(value) {
  if (Array.isArray(value)) return value.map(untag)
  if (value === null || typeof value !== 'object') return value
  if (typeof value.$type === 'string' && 'value' in value) return value.value
  for (const key in value) value[key] = untag(value[key])
  return value
}

/** The engine's answer {data: {<action>: X}} as GraphQL's {data: {<alias>: X}}; errors stay as they are. */
function answer(result, alias) {
  if (!result || !result.data) return result
  return { ...result, data: { [alias]: untag(Object.values(result.data)[0]) } }
}

module.exports = { translate, answer }
