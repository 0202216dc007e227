import { assert, finish, numbered, topic } from '../support.mjs'
import { kafka, readAll } from './client.mjs'

const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
await producer.connect()
assert.ok(producer.isIdempotent())

// 40 batches for each of four partitions.
for (let round = 0; round < 40; round++) {
  const messages = [0, 1, 2, 3].flatMap(partition => numbered(`${round}`, 5).map(value => ({ value, partition })))
  const results = await producer.send({ topic, messages })
  for (const { errorCode, baseOffset } of results) assert.deepEqual([errorCode, Number(baseOffset)], [0, round * 5])
}

const found = await readAll(topic, 800)
assert.equal(found.length, 800)
const expected = Array.from({ length: 40 }, (_, round) => numbered(`${round}`, 5)).flat()

for (const partition of [0, 1, 2, 3]) {
  assert.deepEqual(found.filter(record => record.partition === partition).map(record => record.value), expected, 'once and in order')
}

finish('160 batches, 800 records, once and in order')
