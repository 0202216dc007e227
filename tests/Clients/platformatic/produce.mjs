import { CompressionAlgorithms, ProduceAcks } from '@platformatic/kafka'
import { assert, finish, numbered, topic } from '../support.mjs'
import { newAdmin, newProducer, readAll } from './client.mjs'

const admin = newAdmin()
const producer = newProducer()
const codecs = Object.values(CompressionAlgorithms)
const count = 100

for (const compression of codecs) {
  const target = `produce-${compression}`
  await admin.createTopics({ topics: [target], partitions: 1, replicas: 1 })
  const sent = numbered(compression, count).map((value, i) => ({ key: `key-${i}`, value, headers: { i: String(i) } }))
  const messages = sent.map(message => ({ topic: target, partition: 0, ...message }))

  // Two batches, so that the second one has a base offset.
  for (const acks of [ProduceAcks.ALL, ProduceAcks.LEADER]) {
    const { offsets } = await producer.send({ messages, compression, acks })
    assert.equal(Number(offsets[0].offset), acks === ProduceAcks.ALL ? 0 : count, 'the base offset')
  }

  await producer.send({ messages: [{ topic: target, partition: 0, key: 'last', value: 'last' }], compression, acks: ProduceAcks.NO_RESPONSE })
  const expected = [...sent, ...sent, { key: 'last', value: 'last', headers: {} }]
  const found = await readAll(target, expected.length)
  assert.deepEqual(found, expected.map((record, offset) => ({ partition: 0, offset, ...record })), compression)
}

// Keys choose the partition; a request goes to several topics and leaders.
await admin.createTopics({ topics: ['other'], partitions: 2, replicas: 1 })
const keyed = target => numbered('value', count).map((value, i) => ({ topic: target, key: `key-${i % 10}`, value }))
await producer.send({ messages: [...keyed(topic), ...keyed('other')] })

for (const target of [topic, 'other']) {
  const found = await readAll(target, count)
  assert.equal(found.length, count)
  const partitionsOf = key => new Set(found.filter(record => record.key === key).map(record => record.partition))
  for (const key of numbered('key', 10)) assert.equal(partitionsOf(key).size, 1, 'one partition for a key')
}

finish(`${codecs.length} codecs, ${codecs.length * (2 * count + 1) + 2 * count} records`)
