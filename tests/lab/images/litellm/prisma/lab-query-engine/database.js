// SPDX-License-Identifier: MIT
'use strict'
/* PostgreSQL for the WASM engine: a node-postgres pool behind Prisma's adapter, with the adapter's gaps closed. */
const pg = require('pg')
const { PrismaPg } = require('@prisma/adapter-pg')
const { bindAdapter } = require('@prisma/driver-adapter-utils')

/*
 * adapter-pg 5.17 knows fewer types than the native engine and fails on the rest (regclass, name, interval, void …).
 * Those are handed over as text, which is how node-postgres gives every type that it has no parser for.
 */
const KNOWN_TYPES = new Set([16, 17, 20, 21, 23, 25, 26, 114, 142, 143, 199, 650, 651, 700, 701, 790, 791, 869, 1000, 1001,
  1002, 1005, 1007, 1009, 1014, 1015, 1016, 1021, 1022, 1028, 1041, 1042, 1043, 1082, 1083, 1114, 1115, 1182, 1183, 1184,
  1231, 1266, 1560, 1561, 1562, 1563, 1700, 2950, 2951, 3802, 3807])
const TEXT = 25
const TEXT_ARRAY = 1009
const TIMESTAMP_ARRAY = 1115
const NAME_ARRAY = 1003
const TIMESTAMPTZ_ARRAY = 1185
const INTERVAL = 1186
const VOID = 2278
const REGCLASS_ARRAYS = [2210, 2211]
const FIRST_OF_USERS = 10000 // types above are the database's own: enumerations

const AS_ARRAY = {
  [NAME_ARRAY]: TEXT_ARRAY,
  [TIMESTAMPTZ_ARRAY]: TIMESTAMP_ARRAY,
  ...Object.fromEntries(REGCLASS_ARRAYS.map((type) => [type, TEXT_ARRAY])),
}

pg.types.setTypeParser(NAME_ARRAY, pg.types.getTypeParser(TEXT_ARRAY))
pg.types.setTypeParser(TIMESTAMPTZ_ARRAY, (text) => require('postgres-array').parse(text, (item) => item.split('+')[0]))
pg.types.setTypeParser(INTERVAL, (text) => text)
pg.types.setTypeParser(VOID, (text) => text)

function acceptEveryType() {
  const queryable = Object.getPrototypeOf(PrismaPg.prototype) // of the pool and of transactions alike
  const { performIO } = queryable
  queryable.performIO = async function (query) {
    const result = await performIO.call(this, query)
    for (const field of (result.ok && result.value.fields) || []) {
      const type = field.dataTypeID
      if (type < FIRST_OF_USERS && !KNOWN_TYPES.has(type)) field.dataTypeID = AS_ARRAY[type] || TEXT
    }
    return result
  }
}

/** Returns {pool, adapter}; `log` gets one line for each idle connection that was lost. */
function open(options, schema, log) {
  const pool = new pg.Pool(options)
  pool.on('error', (error) => log('idle connection lost:', error.message))
  acceptEveryType()
  return { pool, adapter: bindAdapter(new PrismaPg(pool, schema ? { schema } : undefined)) }
}

const CONNECTION_LOST = /ECONNREFUSED|ECONNRESET|terminat|timeout|EPIPE|ENOTFOUND/i

/** The engine names a driver's error only by its number in the adapter's registry: put back what the native one says. */
function withDriverErrors(result, adapter, { host, port }) {
  for (const entry of (result && result.errors) || []) {
    const facing = entry.user_facing_error
    if (!facing || facing.error_code !== 'P2036' || !facing.meta || typeof facing.meta.id !== 'number') continue
    const kept = adapter.errorRegistry.consumeError(facing.meta.id)
    const error = (kept && kept.error) || {}
    const message = error.message || 'unknown driver error'
    entry.error = message
    entry.user_facing_error = CONNECTION_LOST.test(message)
      ? { is_panic: false, error_code: 'P1001', message: `Can't reach database server at \`${host}:${port}\`: ${message}`, meta: {} }
      : { is_panic: false, error_code: 'P2010', message: `Raw query failed. ${message}`, meta: { code: error.code || 'N/A', message } }
  }
  return result
}

module.exports = { open, withDriverErrors }
