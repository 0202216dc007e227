// kafkajs, with codecs for snappy, LZ4 and zstd, which it does not have.
import { lz4Compress, lz4Decompress, snappyCompress, snappyDecompress } from '@platformatic/wasm-utils'
import kafkajs from 'kafkajs'
import zlib from 'node:zlib'
import { brokers, until } from '../support.mjs'

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs

const codec = (compress, decompress) => () => ({
  compress: async encoder => compress(encoder.buffer),
  decompress: async buffer => decompress(buffer)
})

CompressionCodecs[CompressionTypes.Snappy] = codec(snappyCompress, snappyDecompress)
CompressionCodecs[CompressionTypes.LZ4] = codec(lz4Compress, lz4Decompress)
CompressionCodecs[CompressionTypes.ZSTD] = codec(zlib.zstdCompressSync, zlib.zstdDecompressSync)

export const codecs = CompressionTypes

export const kafka = new Kafka({ clientId: 'kafkajs', brokers, logLevel: logLevel.NOTHING })

/// A record as the scripts compare it.
export const plain = ({ partition, message }) => ({
  partition,
  offset: Number(message.offset),
  key: message.key?.toString() ?? null,
  value: message.value?.toString() ?? null,
  headers: Object.fromEntries(Object.entries(message.headers ?? {}).map(([name, value]) => [name, value.toString()]))
})

/// A consumer of a group that keeps its records in `records`, and its partitions in `partitions`.
export async function member(groupId, topic, options = {}) {
  const consumer = kafka.consumer({ groupId, heartbeatInterval: 200, maxWaitTimeInMs: 100, ...options })
  const found = { consumer, records: [], partitions: [] }
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => (found.partitions = payload.memberAssignment[topic] ?? []))
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({ autoCommit: false, eachMessage: async record => void found.records.push(plain(record)) })
  return found
}

/// All committed records of a topic, of which there must be so many, by partition and offset.
export async function readAll(topic, count, options = {}) {
  const reader = await member(`reader-${Math.random()}`, topic, options)
  await until(() => `${count} records of ${topic}, not ${reader.records.length}`, () => reader.records.length >= count)
  await reader.consumer.disconnect()
  return reader.records.sort((a, b) => a.partition - b.partition || a.offset - b.offset)
}
