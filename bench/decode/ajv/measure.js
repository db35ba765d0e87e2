'use strict'
// Decodes and validates bodies as Fastify does: secure-json-parse, then what ajv compiled. It reads lines of JSON and
// answers each with one. The first names the schema and the samples, and is answered with the samples that it gets wrong;
// each later one asks for a round, and is answered with the nanoseconds of CPU for each sample.
const AjvCompiler = require('@fastify/ajv-compiler')
const secureJSON = require('secure-json-parse')
const readline = require('node:readline')

// Fastify's defaults, but for two that change a body until it fits: they take out unknown members and turn "1" into 1.
const customOptions = { removeAdditional: false, coerceTypes: false }

let validate, samples

function accepts (bytes) {
  let value
  try {
    value = secureJSON.parse(bytes.toString('utf8'), { protoAction: 'error', constructorAction: 'error' })
  } catch {
    return false
  }
  return validate(value)
}

function prepare (subject) {
  validate = AjvCompiler()({}, { customOptions })({ schema: subject.schema })
  samples = subject.samples.map(s => ({ ...s, bodies: s.bodies.map(body => Buffer.from(body)) }))
  return samples.filter(s => s.bodies.some(body => accepts(body) === s.refused)).map(s => s.name)
}

// measure decodes for about so many nanoseconds and returns the nanoseconds of one.
function measure (sample, span) {
  const loop = n => {
    const start = process.cpuUsage()
    for (let i = 0; i < n; i++) {
      for (const body of sample.bodies) accepts(body)
    }
    const used = process.cpuUsage(start)
    return 1000 * (used.user + used.system) / (n * sample.bodies.length)
  }
  // V8 compiles what runs often: the first time is no measure of the later ones.
  sample.repeat ??= Math.ceil(span / (loop(5000) * sample.bodies.length))
  return loop(sample.repeat)
}

readline.createInterface({ input: process.stdin }).on('line', line => {
  const message = JSON.parse(line)
  const answer = message.schema
    ? prepare(message)
    : Object.fromEntries(samples.map(s => [s.name, measure(s, message.span)]))
  console.log(JSON.stringify(answer))
})
