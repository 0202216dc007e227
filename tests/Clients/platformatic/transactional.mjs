import { FetchIsolationLevels } from '@platformatic/kafka'
import { assert, failure, finish, sleep, topic, until } from '../support.mjs'
import { member, newAdmin, newProducer, readAll } from './client.mjs'

const newTransactional = () => newProducer({ idempotent: true, transactionalId: 'judge' })
const producer = newTransactional()
const admin = newAdmin()
const readCommitted = { isolationLevel: FetchIsolationLevels.READ_COMMITTED }
const readUncommitted = { isolationLevel: FetchIsolationLevels.READ_UNCOMMITTED }

// One transaction is aborted: of several by one producer in a fetch, version 2.12.1 drops the last one only.
for (let i = 0; i < 9; i++) {
  const transaction = await producer.beginTransaction()
  await transaction.send({ messages: [0, 1, 2, 3].map(partition => ({ topic, value: `${i}-${partition}`, partition })) })
  await (i === 4 ? transaction.abort() : transaction.commit())
}

const committed = [0, 1, 2, 3, 5, 6, 7, 8]
const valuesOf = async (count, options) => (await readAll(topic, count, options)).map(record => record.value)
assert.deepEqual(await valuesOf(32, readCommitted), [0, 1, 2, 3].flatMap(p => committed.map(i => `${i}-${p}`)), 'committed')
assert.equal((await valuesOf(36, readUncommitted)).length, 36, 'the aborted ones are in the log')

// An open transaction hides what comes after it.
const open = await producer.beginTransaction()
await open.send({ messages: [{ topic, value: 'open', partition: 0 }] })
await newProducer().send({ messages: [{ topic, value: 'later', partition: 0 }] })
const reader = await member('reader', topic, readCommitted)
await until('the records before', () => reader.messages.length >= 32)
await sleep(300)
assert.equal(reader.messages.length, 32, 'nothing of the open transaction')
await open.commit()
await until('the records after', () => reader.messages.length >= 34)
assert.deepEqual(reader.records().slice(32).map(record => record.value), ['open', 'later'])

// Offsets are committed with a transaction, and not with one that is aborted.
const message = reader.messages.find(it => it.partition === 1 && Number(it.offset) > 3)

const offsetOf = async () => {
  const [group] = await admin.listConsumerGroupOffsets({ groups: ['reader'] })
  return Number(group.topics.find(it => it.name === topic)?.partitions.find(it => it.partitionIndex === 1)?.committedOffset ?? -1)
}

for (const [ending, expected] of [['abort', -1], ['commit', Number(message.offset) + 1]]) {
  const transaction = await producer.beginTransaction()
  await transaction.addConsumer(reader.consumer)
  await transaction.send({ messages: [{ topic, value: ending, partition: 2 }] })
  await transaction.addOffset(message)
  await transaction[ending]()
  await until(`offset ${expected} after ${ending}`, async () => (await offsetOf()) === expected)
}

await reader.leave()

// A newer producer fences this one.
const fenced = await producer.beginTransaction()
const newer = await newTransactional().beginTransaction()
const error = await failure(fenced.send({ messages: [{ topic, value: 'fenced', partition: 0 }] }))
assert.ok(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'].some(id => error.findBy('apiId', id)), String(error))
await newer.send({ messages: [{ topic, value: 'newer', partition: 0 }] })
await newer.commit()

finish('13 transactions, offsets, isolation, fencing')
