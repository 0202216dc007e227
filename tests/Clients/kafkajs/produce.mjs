import { assert, finish, numbered, topic } from '../support.mjs'
import { codecs, kafka, readAll } from './client.mjs'

const producer = kafka.producer()
const admin = kafka.admin()
await Promise.all([producer.connect(), admin.connect()])
const count = 100

for (const [name, compression] of Object.entries(codecs)) {
  const target = `produce-${name}`
  await admin.createTopics({ topics: [{ topic: target, numPartitions: 1 }] })
  const messages = numbered(name, count).map((value, i) => ({ key: `key-${i}`, value, headers: { i: String(i) } }))

  // Two batches, so that the second one has a base offset.
  for (const acks of [-1, 1]) {
    const [result] = await producer.send({ topic: target, compression, acks, messages })
    assert.equal(result.errorCode, 0)
    assert.equal(Number(result.baseOffset), acks === -1 ? 0 : count, 'the base offset')
  }

  await producer.send({ topic: target, compression, acks: 0, messages: [{ key: null, value: null }] })
  const sent = messages.map(({ key, value, headers }) => ({ key, value, headers }))
  const expected = [...sent, ...sent, { key: null, value: null, headers: {} }]
  const found = await readAll(target, expected.length)
  assert.deepEqual(found, expected.map((record, offset) => ({ partition: 0, offset, ...record })), name)
}

// Keys choose the partition; a batch goes to several topics.
await admin.createTopics({ topics: [{ topic: 'other', numPartitions: 2 }] })
const keyed = numbered('value', count).map((value, i) => ({ key: `key-${i % 10}`, value }))
await producer.sendBatch({ topicMessages: [{ topic, messages: keyed }, { topic: 'other', messages: keyed }] })

for (const target of [topic, 'other']) {
  const found = await readAll(target, count)
  assert.equal(found.length, count)
  const partitionsOf = key => new Set(found.filter(record => record.key === key).map(record => record.partition))
  for (const key of numbered('key', 10)) assert.equal(partitionsOf(key).size, 1, 'one partition for a key')
}

finish(`${Object.keys(codecs).length} codecs, ${Object.keys(codecs).length * (2 * count + 1) + 2 * count} records`)
