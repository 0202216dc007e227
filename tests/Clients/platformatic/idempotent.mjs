import { assert, finish, numbered, topic } from '../support.mjs'
import { newProducer, readAll } from './client.mjs'

const producer = newProducer({ idempotent: true })
const partitions = [0, 1, 2, 3]

// 40 batches for each of four partitions.
for (let round = 0; round < 40; round++) {
  const messages = partitions.flatMap(partition => numbered(`${round}`, 5).map(value => ({ topic, value, partition })))
  const { offsets } = await producer.send({ messages })
  assert.deepEqual(offsets.map(it => Number(it.offset)), partitions.map(() => round * 5))
}

assert.ok(producer.producerId >= 0n)
const found = await readAll(topic, 800)
assert.equal(found.length, 800)
const expected = Array.from({ length: 40 }, (_, round) => numbered(`${round}`, 5)).flat()

for (const partition of partitions) {
  assert.deepEqual(found.filter(record => record.partition === partition).map(record => record.value), expected, 'once and in order')
}

finish('160 batches, 800 records, once and in order')
