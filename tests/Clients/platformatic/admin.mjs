import { ConfigResourceTypes, IncrementalAlterConfigOperationTypes, ListOffsetTimestamps } from '@platformatic/kafka'
import { assert, failure, finish, numbered, sameItems, until } from '../support.mjs'
import { member, newAdmin, newProducer } from './client.mjs'

const admin = newAdmin()
const failsWith = async (id, call) => assert.ok((await failure(call)).findBy('apiId', id), id)

// The cluster.
const cluster = await admin.metadata({})
sameItems(cluster.brokers.keys(), [1, 2, 3], 'the brokers')

// Topics.
const topic = 'managed'
const configs = [{ name: 'cleanup.policy', value: 'compact' }, { name: 'retention.ms', value: '60000' }]
const [created] = await admin.createTopics({ topics: [topic], partitions: 3, replicas: 3, configs })
assert.deepEqual([created.name, created.partitions, created.replicas], [topic, 3, 3])
assert.equal(created.configuration['retention.ms'], '60000')
await failsWith('TOPIC_ALREADY_EXISTS', admin.createTopics({ topics: [topic], partitions: 3, replicas: 3 }))
await failsWith('INVALID_TOPIC_EXCEPTION', admin.createTopics({ topics: ['no good'] }))
await failsWith('INVALID_REPLICATION_FACTOR', admin.createTopics({ topics: ['four'], replicas: 4 }))
await admin.createTopics({ topics: ['placed'], partitions: -1, replicas: -1, assignments: [{ partition: 0, brokers: [3, 1] }] })
const partitionsOf = async name => (await admin.metadata({ topics: [name], forceUpdate: true })).topics.get(name).partitions
assert.deepEqual((await partitionsOf('placed')).map(it => it.replicas), [[3, 1]])
sameItems(await admin.listTopics(), ['managed', 'orders', 'placed'], 'listed')
await admin.createPartitions({ topics: [{ name: topic, count: 5, assignments: null }] })
assert.equal((await partitionsOf(topic)).length, 5)

// Configs.
const resource = { resourceType: ConfigResourceTypes.TOPIC, resourceName: topic }

const configsOf = async () => {
  const [description] = await admin.describeConfigs({ resources: [{ ...resource, configurationKeys: null }], includeSynonyms: true })
  return Object.fromEntries(description.configs.map(config => [config.name, config.value]))
}

assert.equal((await configsOf())['retention.ms'], '60000')
const set = (name, value) => ({ name, configOperation: IncrementalAlterConfigOperationTypes.SET, value })
await admin.incrementalAlterConfigs({ resources: [{ ...resource, configs: [set('retention.ms', '70000')] }] })
assert.equal((await configsOf())['retention.ms'], '70000')
assert.equal((await configsOf())['cleanup.policy'], 'compact', 'only what was named')
await admin.alterConfigs({ resources: [{ ...resource, configs: [{ name: 'retention.ms', value: '80000' }] }] })
assert.equal((await configsOf())['retention.ms'], '80000')
assert.equal((await configsOf())['cleanup.policy'], 'delete', 'AlterConfigs resets the others')

// Offsets and the deletion of records.
const messages = numbered('r', 10).map(value => ({ topic, key: value, value, partition: 0 }))
await newProducer().send({ messages })

const offsetAt = async timestamp => {
  const [found] = await admin.listOffsets({ topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp }] }] })
  return Number(found.partitions[0].offset)
}

assert.equal(await offsetAt(ListOffsetTimestamps.LATEST), 10)
const deleteTo = offset => admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset }] }] })
assert.equal(Number((await deleteTo(4n))[0].partitions[0].lowWatermark), 4)
assert.equal(await offsetAt(ListOffsetTimestamps.EARLIEST), 4)
await failsWith('OFFSET_OUT_OF_RANGE', deleteTo(40n))

// Groups.
const groupId = 'managed-group'
const [coordinator] = await admin.findCoordinator({ keyType: 0, keys: [groupId] })
assert.ok([1, 2, 3].includes(coordinator.nodeId))
const active = await member(groupId, topic)
await until('its partitions', () => active.partitions().length === 5)
assert.equal((await admin.listGroups({ types: [] })).get(groupId).state, 'Stable')
const described = (await admin.describeGroups({ groups: [groupId] })).get(groupId)
assert.deepEqual([described.state, described.members.size, described.protocolType], ['Stable', 1, 'consumer'])
await failsWith('NON_EMPTY_GROUP', admin.deleteGroups({ groups: [groupId] }))
await active.leave()
await admin.alterConsumerGroupOffsets({ groupId, topics: [{ name: topic, partitionOffsets: [{ partition: 0, offset: 6n }] }] })

const committed = async () => {
  const [group] = await admin.listConsumerGroupOffsets({ groups: [groupId] })
  return group.topics.flatMap(it => it.partitions).filter(it => it.committedOffset >= 0n).map(it => Number(it.committedOffset))
}

assert.deepEqual(await committed(), [6])
await admin.deleteConsumerGroupOffsets({ groupId, topics: [{ name: topic, partitionIndexes: [0] }] })
assert.deepEqual(await committed(), [])
await admin.deleteGroups({ groups: [groupId] })
await failsWith('GROUP_ID_NOT_FOUND', admin.deleteGroups({ groups: [groupId] }))
assert.ok(!(await admin.listGroups({ types: [] })).has(groupId), 'deleted')

// Deletion of topics.
await admin.deleteTopics({ topics: [topic, 'placed'] })
sameItems(await admin.listTopics(), ['orders'], 'deleted')
await failsWith('UNKNOWN_TOPIC_OR_PARTITION', admin.deleteTopics({ topics: [topic] }))

finish('topics, partitions, configs, records, groups')
