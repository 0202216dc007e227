import { assert, finish, numbered, sameItems, until } from '../support.mjs'
import { kafka, member, plain, readAll } from './client.mjs'

const topic = 'lines'
const producer = kafka.producer()
const admin = kafka.admin()
await Promise.all([producer.connect(), admin.connect()])
await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] })
const begun = Date.now() - 100_000

for (const partition of [0, 1]) {
  const messages = numbered(`p${partition}`, 50).map((value, i) => ({ value, partition, timestamp: String(begun + i * 1000) }))
  await producer.send({ topic, messages })
}

const values = (await readAll(topic, 100)).map(record => record.value)
assert.deepEqual(values, [...numbered('p0', 50), ...numbered('p1', 50)], 'everything')

// From an offset on, with whole batches and the high watermark.
const seeker = kafka.consumer({ groupId: 'seeker', maxWaitTimeInMs: 100 })
const seen = []
const watermarks = new Set()
await seeker.connect()
await seeker.subscribe({ topic, fromBeginning: false })
await seeker.run({
  autoCommit: false,
  eachBatch: async ({ batch }) => {
    watermarks.add(batch.highWatermark)
    seen.push(...batch.messages.map(message => plain({ partition: batch.partition, message }).value))
  }
})
seeker.seek({ topic, partition: 0, offset: '45' })
seeker.seek({ topic, partition: 1, offset: '48' })
const late = ['p0-45', 'p0-46', 'p0-47', 'p0-48', 'p0-49', 'p1-48', 'p1-49']
await until(() => `${late}, not ${seen}`, () => seen.length >= late.length)
sameItems(seen, late, 'from the offsets on')
sameItems(watermarks, ['50'], 'the high watermark')

// A consumer waits for records that are not there yet, and gets none while it is paused.
await producer.send({ topic, messages: [{ value: 'new', partition: 1 }] })
await until('a new record', () => seen.at(-1) === 'new')
seeker.pause([{ topic }])
await producer.send({ topic, messages: [{ value: 'paused', partition: 0 }] })
await new Promise(resolve => setTimeout(resolve, 300))
assert.equal(seen.at(-1), 'new', 'paused')
seeker.resume([{ topic }])
await until('the record of the pause', () => seen.at(-1) === 'paused')
await seeker.disconnect()

// By timestamp.
const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, begun + 20_500)
sameItems(offsets.map(({ partition, offset }) => `${partition}:${offset}`), ['0:21', '1:21'], 'by timestamp')

// A compressed batch that begins before the offset, and records that are larger than a fetch.
await admin.createTopics({ topics: [{ topic: 'large' }] })
const large = [1, 2, 3].map(i => String(i).repeat(300_000))
for (const value of large) await producer.send({ topic: 'large', messages: [{ value }] })
const reader = await member('large', 'large', { maxBytesPerPartition: 1000, maxBytes: 1000 })
await until('the large records', () => reader.records.length >= 3)
assert.deepEqual(reader.records.map(record => record.value), large, 'large records')
await reader.consumer.disconnect()

finish('102 records, seek, pause, timestamps, large records')
