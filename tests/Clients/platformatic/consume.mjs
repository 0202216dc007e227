import { ListOffsetTimestamps } from '@platformatic/kafka'
import { assert, finish, numbered, sameItems, sleep, until } from '../support.mjs'
import { member, newAdmin, newConsumer, newProducer, readAll } from './client.mjs'

const topic = 'lines'
const admin = newAdmin()
const producer = newProducer()
await admin.createTopics({ topics: [topic], partitions: 2, replicas: 1 })
const begun = BigInt(Date.now() - 100_000)

for (const partition of [0, 1]) {
  const messages = numbered(`p${partition}`, 50).map((value, i) => ({ topic, value, partition, timestamp: begun + BigInt(i * 1000) }))
  await producer.send({ messages })
}

const values = (await readAll(topic, 100)).map(record => record.value)
assert.deepEqual(values, [...numbered('p0', 50), ...numbered('p1', 50)], 'everything')

// From an offset on.
const offsets = [{ topic, partition: 0, offset: 45n }, { topic, partition: 1, offset: 48n }]
const seeker = await member('seeker', topic, {}, { mode: 'manual', fallbackMode: undefined, offsets })
const late = ['p0-45', 'p0-46', 'p0-47', 'p0-48', 'p0-49', 'p1-48', 'p1-49']
await until('the late records', () => seeker.messages.length >= late.length)
sameItems(seeker.records().map(record => record.value), late, 'from the offsets on')

// A consumer waits for records that are not there yet.
await producer.send({ messages: [{ topic, value: 'new', partition: 1 }] })
await until('a new record', () => seeker.messages.at(-1).value === 'new')
await sleep(300)
assert.equal(seeker.messages.length, late.length + 1, 'nothing twice')
await seeker.leave()

// From the end on.
const tail = await member('tail', topic, {}, { mode: 'latest', fallbackMode: undefined })
await sleep(200)
await producer.send({ messages: [{ topic, value: 'newest', partition: 0 }] })
await until('the newest record', () => tail.messages.length >= 1)
assert.deepEqual(tail.records().map(record => record.value), ['newest'])
await tail.leave()

// Offsets of the start, the end and a time.
const consumer = newConsumer('offsets')
const offsetsAt = async timestamp => (await consumer.listOffsets({ topics: [topic], timestamp })).get(topic).map(Number)
assert.deepEqual(await offsetsAt(ListOffsetTimestamps.EARLIEST), [0, 0])
assert.deepEqual(await offsetsAt(ListOffsetTimestamps.LATEST), [51, 51])
assert.deepEqual(await offsetsAt(begun + 20_500n), [21, 21], 'by timestamp')
await consumer.close(true)

// Records that are larger than a fetch.
await admin.createTopics({ topics: ['large'], partitions: 1, replicas: 1 })
const large = [1, 2, 3].map(i => String(i).repeat(300_000))
for (const value of large) await producer.send({ messages: [{ topic: 'large', value, partition: 0 }] })
const reader = await member('large', 'large', { maxBytes: 1000 })
await until('the large records', () => reader.messages.length >= 3)
assert.deepEqual(reader.records().map(record => record.value), large, 'large records')
await reader.leave()

finish('105 records, offsets, waiting, timestamps, large records')
