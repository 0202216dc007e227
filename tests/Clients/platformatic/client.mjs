// @platformatic/kafka with texts for keys, values and headers.
import { Admin, Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'
import { brokers, until } from '../support.mjs'

const base = { clientId: 'platformatic', bootstrapBrokers: brokers, retries: 20, retryDelay: 20 }

export const newAdmin = () => new Admin(base)
export const newProducer = (options = {}) => new Producer({ ...base, serializers: stringSerializers, ...options })
export const newConsumer = (groupId, options = {}) =>
  new Consumer({ ...base, groupId, deserializers: stringDeserializers, heartbeatInterval: 200, maxWaitTime: 100, ...options })

/// A record as the scripts compare it.
export const plain = message => ({
  partition: message.partition,
  offset: Number(message.offset),
  key: message.key ?? null,
  value: message.value ?? null,
  headers: Object.fromEntries(message.headers)
})

/// A consumer of a group that keeps its messages in `messages`. Its partitions are `partitions()`, and the offsets of its next fetches
/// `positions()`.
export async function member(groupId, topic, options = {}, streaming = {}) {
  const consumer = newConsumer(groupId, options)
  const how = { topics: [topic], mode: 'committed', fallbackMode: 'earliest', autocommit: false, ...streaming }
  const stream = await consumer.consume(how)
  const messages = []
  const found = { consumer, stream, messages, failures: [], records: () => messages.map(plain) }
  stream.on('data', message => messages.push(message))
  stream.on('error', error => found.failures.push(error))
  found.partitions = () => (consumer.assignments ?? []).filter(it => it.topic === topic).flatMap(it => it.partitions)
  found.positions = () => found.partitions().map(partition => Number(stream.offsetsToFetch.get(`${topic}:${partition}`)))
  found.leave = () => consumer.close(true)
  return found
}

/// All records of a topic, of which there must be so many, by partition and offset.
export async function readAll(topic, count, options = {}) {
  const reader = await member(`reader-${Math.random()}`, topic, options)
  await until(() => `${count} records of ${topic}, not ${reader.messages.length}`, () => reader.messages.length >= count)
  await reader.leave()
  return reader.records().sort((a, b) => a.partition - b.partition || a.offset - b.offset)
}
