// SPDX-License-Identifier: MIT
'use strict'
/*
 * What the engine needs of a Prisma schema: the fields of each model, the database's address, and the schema itself in
 * the form that the WASM engine accepts.
 */
const fs = require('node:fs')
const os = require('node:os')

/** A top-level block `kind name { ... }`. These two kinds hold no nested braces. */
function findBlock(schema, kind) {
  const found = new RegExp(`^\\s*${kind}\\s+(\\w+)\\s*\\{[^}]*\\}`, 'm').exec(schema)
  if (!found) throw new Error(`no ${kind} block in the schema`)
  return { name: found[1], text: found[0] }
}

/** Map: model name → Map: field name → {json: is it of type Json, model: name of the model it relates to}. */
function readModels(schema) {
  const models = new Map()
  for (const [, name, body] of schema.matchAll(/^[ \t]*model[ \t]+(\w+)[ \t]*\{([^]*?)^[ \t]*\}/gm)) {
    const fields = new Map()
    for (const [, field, type] of body.matchAll(/^[ \t]*(\w+)[ \t]+(\w+)(\[\]|\?)?/gm)) {
      fields.set(field, { type, json: type === 'Json' })
    }
    models.set(name, fields)
  }
  for (const fields of models.values()) {
    for (const field of fields.values()) if (models.has(field.type)) field.model = field.type
  }
  return models
}

/** The datasource's URL: the client's override (OVERWRITE_DATASOURCES), else what the schema says. */
function datasourceUrl(schema, env = process.env) {
  const { name, text } = findBlock(schema, 'datasource')
  if (env.OVERWRITE_DATASOURCES) {
    const overrides = JSON.parse(env.OVERWRITE_DATASOURCES)
    const own = overrides.find((item) => item.name === name) || overrides[0]
    if (own && own.url) return own.url
  }
  const variable = /url\s*=\s*env\("([^"]+)"\)/.exec(text)
  if (variable) {
    if (!env[variable[1]]) throw new Error(`environment variable not found: ${variable[1]}`)
    return env[variable[1]]
  }
  const literal = /url\s*=\s*"([^"]+)"/.exec(text)
  if (!literal) throw new Error('the datasource has no url')
  return literal[1]
}

/** node-postgres' pool options from a Prisma URL, whose parameters are not libpq's, and the database schema's name. */
function poolOptions(address) {
  const url = new URL(address)
  const given = url.searchParams
  const seconds = (name, otherwise) => (Number.isFinite(+(given.get(name) || NaN)) ? +given.get(name) : otherwise)
  const sslmode = given.get('sslmode') || 'prefer'
  const options = {
    host: given.get('host') || decodeURIComponent(url.hostname) || 'localhost',
    port: url.port ? +url.port : 5432,
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)) || 'postgres',
    max: Math.max(1, seconds('connection_limit', os.cpus().length * 2 + 1)),
    connectionTimeoutMillis: seconds('pool_timeout', seconds('connect_timeout', 10)) * 1000,
    idleTimeoutMillis: seconds('max_idle_connection_lifetime', 300) * 1000,
    maxLifetimeSeconds: seconds('max_connection_lifetime', 0),
    application_name: given.get('application_name') || undefined,
    options: given.get('options') || undefined,
    keepAlive: true,
  }
  if (['require', 'verify-ca', 'verify-full'].includes(sslmode)) {
    const authority = given.get('sslrootcert') || given.get('sslcert')
    options.ssl = {
      rejectUnauthorized: sslmode !== 'require' && given.get('sslaccept') !== 'accept_invalid_certs',
      ca: authority ? fs.readFileSync(authority, 'utf8') : undefined,
    }
  }
  return { options, schema: given.get('schema') || undefined }
}

/** The schema as the WASM engine wants it: driverAdapters switched on, no foreign generator, no address. */
function engineSchema(schema) {
  const datasource = findBlock(schema, 'datasource')
  const generator = findBlock(schema, 'generator')
  return schema
    .replace(generator.text, '\ngenerator client {\n  provider = "prisma-client-js"\n  previewFeatures = ["driverAdapters"]\n}')
    .replace(datasource.text, `\ndatasource ${datasource.name} {\n  provider = "postgresql"\n  url = "postgresql://adapter"\n}`)
}

module.exports = { readModels, datasourceUrl, poolOptions, engineSchema }
