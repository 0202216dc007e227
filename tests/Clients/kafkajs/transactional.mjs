import { assert, failure, finish, numbered, topic, until } from '../support.mjs'
import { kafka, member, readAll } from './client.mjs'

const producerOf = async () => {
  const producer = kafka.producer({ transactionalId: 'judge', idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  return producer
}

const producer = await producerOf()
const admin = kafka.admin()
await admin.connect()

// Every third transaction is aborted.
for (let i = 0; i < 9; i++) {
  const transaction = await producer.transaction()
  const messages = [0, 1, 2, 3].map(partition => ({ value: `${i}-${partition}`, partition }))
  await transaction.send({ topic, messages })
  await (i % 3 === 2 ? transaction.abort() : transaction.commit())
}

const committed = [0, 1, 3, 4, 6, 7]
const valuesOf = async (count, options) => (await readAll(topic, count, options)).map(record => record.value)
assert.deepEqual(await valuesOf(24), [0, 1, 2, 3].flatMap(p => committed.map(i => `${i}-${p}`)), 'committed')
assert.equal((await valuesOf(36, { readUncommitted: true })).length, 36, 'the aborted ones are in the log')

// An open transaction hides what comes after it.
const open = await producer.transaction()
await open.send({ topic, messages: [{ value: 'open', partition: 0 }] })
const plainProducer = kafka.producer()
await plainProducer.connect()
await plainProducer.send({ topic, messages: [{ value: 'later', partition: 0 }] })
const reader = await member('reader', topic)
await until('the records before', () => reader.records.length >= 24)
await new Promise(resolve => setTimeout(resolve, 300))
assert.equal(reader.records.length, 24, 'nothing of the open transaction')
await open.commit()
await until('the records after', () => reader.records.length >= 26)
assert.deepEqual(reader.records.slice(24).map(record => record.value), ['open', 'later'])
await reader.consumer.disconnect()

// Offsets are committed with a transaction, and not with one that is aborted.
const groupId = 'copier'
const offsetOf = async () => (await admin.fetchOffsets({ groupId, topics: [topic] }))[0].partitions.find(it => it.partition === 1).offset

for (const [offset, ending, expected] of [['7', 'abort', '-1'], ['8', 'commit', '8']]) {
  const transaction = await producer.transaction()
  await transaction.send({ topic, messages: numbered('copy', 2).map(value => ({ value, partition: 1 })) })
  await transaction.sendOffsets({ consumerGroupId: groupId, topics: [{ topic, partitions: [{ partition: 1, offset }] }] })
  await transaction[ending]()
  await until(`offset ${expected} after ${ending}`, async () => (await offsetOf()) === expected)
}

// A newer producer fences this one when it begins its first transaction.
const fenced = await producer.transaction()
const newer = await (await producerOf()).transaction()
const error = await failure(fenced.send({ topic, messages: [{ value: 'fenced', partition: 0 }] }))
assert.match(error.type, /^(INVALID_PRODUCER_EPOCH|PRODUCER_FENCED)$/)
await newer.send({ topic, messages: [{ value: 'newer', partition: 0 }] })
await newer.commit()

finish('12 transactions, offsets, isolation, fencing')
