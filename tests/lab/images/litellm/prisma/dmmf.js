// SPDX-License-Identifier: MIT
'use strict'
// dmmf.js SCHEMA: print what `prisma generate` would hand to a generator, from Prisma's schema parser as WebAssembly.
const fs = require('node:fs')
const wasm = require('@prisma/prisma-schema-wasm')

const file = process.argv[2]
const text = fs.readFileSync(file, 'utf8')
const schema = { prismaSchema: [[file, text]] }
const parse = (value) => (typeof value === 'string' ? JSON.parse(value) : value)
const dmmf = parse(wasm.get_dmmf(JSON.stringify({ ...schema, noColor: true })))
const found = parse(wasm.get_config(JSON.stringify({ ...schema, datasourceOverrides: {}, ignoreEnvVarErrors: true, env: {} })))
if (found.errors && found.errors.length) throw new Error(JSON.stringify(found.errors))
process.stdout.write(JSON.stringify({ dmmf, config: found.config || found, datamodel: text }))
