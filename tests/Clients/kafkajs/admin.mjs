import kafkajs from 'kafkajs'
import { assert, failure, finish, numbered, sameItems, until } from '../support.mjs'
import { kafka, member } from './client.mjs'

const { AclResourceTypes, ConfigResourceTypes } = kafkajs
const admin = kafka.admin()
// For calls that must fail: kafkajs repeats most of them.
const impatient = kafka.admin({ retry: { retries: 0 } })
const producer = kafka.producer()
await Promise.all([admin.connect(), impatient.connect(), producer.connect()])

// The cluster.
const cluster = await admin.describeCluster()
sameItems(cluster.brokers.map(broker => broker.nodeId), [1, 2, 3], 'the brokers')
assert.ok([1, 2, 3].includes(cluster.controller))

// Topics.
const topic = 'managed'
const configEntries = [{ name: 'cleanup.policy', value: 'compact' }, { name: 'retention.ms', value: '60000' }]
const wanted = { topic, numPartitions: 3, replicationFactor: 3, configEntries }
assert.equal(await admin.createTopics({ topics: [wanted] }), true, 'created')
assert.equal(await admin.createTopics({ topics: [wanted] }), false, 'exists already')
assert.equal(await admin.createTopics({ topics: [{ topic: 'only-validated' }], validateOnly: true, waitForLeaders: false }), true)
assert.match((await failure(impatient.createTopics({ topics: [{ topic: 'no good' }] }))).message, /topic|INVALID/i)
const listed = await admin.listTopics()
assert.ok(listed.includes(topic) && !listed.includes('only-validated'), 'listed')

const partitionsOf = async () => (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions
assert.equal((await partitionsOf()).length, 3)
for (const partition of await partitionsOf()) assert.equal(partition.isr.length, 3, 'in-sync replicas')
await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] })
await until('five partitions', async () => (await partitionsOf()).length === 5)

// Configs.
const configsOf = async () => {
  const { resources } = await admin.describeConfigs({ resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }], includeSynonyms: true })
  return Object.fromEntries(resources[0].configEntries.map(entry => [entry.configName, entry.configValue]))
}

assert.equal((await configsOf())['cleanup.policy'], 'compact')
assert.equal((await configsOf())['retention.ms'], '60000')
const altered = [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: [{ name: 'retention.ms', value: '70000' }] }]
await admin.alterConfigs({ resources: altered })
assert.equal((await configsOf())['retention.ms'], '70000')
assert.equal((await configsOf())['cleanup.policy'], 'delete', 'AlterConfigs resets the others')
const broker = await admin.describeConfigs({ resources: [{ type: ConfigResourceTypes.BROKER, name: '1' }] })
assert.ok(broker.resources[0].configEntries.length > 0, 'the configs of a broker')

// Offsets and the deletion of records.
await producer.send({ topic, messages: numbered('r', 10).map(value => ({ key: value, value, partition: 0 })) })
const offsetsOf = async () => (await admin.fetchTopicOffsets(topic)).find(it => it.partition === 0)
assert.deepEqual({ low: (await offsetsOf()).low, high: (await offsetsOf()).high }, { low: '0', high: '10' })
await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '4' }] })
assert.equal((await offsetsOf()).low, '4', 'records were deleted')
const beyond = await failure(impatient.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '40' }] }))
assert.match(beyond.message, /deleting records/, 'an offset after the end')
assert.equal((await offsetsOf()).low, '4', 'nothing was deleted')

// Groups.
const groupId = 'managed-group'
const active = await member(groupId, topic)
await until('its partitions', () => active.partitions.length === 5)
assert.ok((await admin.listGroups()).groups.some(group => group.groupId === groupId), 'listed')
const [described] = (await admin.describeGroups([groupId])).groups
assert.deepEqual([described.state, described.members.length, described.protocolType], ['Stable', 1, 'consumer'])
const refused = await failure(impatient.deleteGroups([groupId]))
assert.equal(refused.groups[0].error.type, 'NON_EMPTY_GROUP')
await active.consumer.disconnect()
await admin.deleteGroups([groupId])
assert.ok(!(await admin.listGroups()).groups.some(group => group.groupId === groupId), 'deleted')

// Reassignments.
const before = (await partitionsOf()).find(partition => partition.partitionId === 0)
await admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment: [{ partition: 0, replicas: before.replicas.slice(0, 1) }] }] })
await until('one replica', async () => (await partitionsOf()).find(partition => partition.partitionId === 0).replicas.length === 1)

// ACLs need an authorizer.
const filter = { resourceType: AclResourceTypes.ANY, resourcePatternType: 1, operation: 1, permissionType: 1 }
assert.equal((await failure(impatient.describeAcls(filter))).type, 'SECURITY_DISABLED')

// Deletion of topics.
await admin.deleteTopics({ topics: [topic] })
assert.ok(!(await admin.listTopics()).includes(topic), 'deleted')
assert.match((await failure(impatient.deleteTopics({ topics: [topic] }))).message, /does not host this topic/)

finish('topics, partitions, configs, records, groups, reassignments')
