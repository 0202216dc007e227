import { assert, finish, numbered, sameItems, topic, until } from '../support.mjs'
import { kafka, member } from './client.mjs'

const groupId = 'judges'
const producer = kafka.producer()
const admin = kafka.admin()
await Promise.all([producer.connect(), admin.connect()])

const produce = async name => {
  for (const partition of [0, 1, 2, 3]) {
    await producer.send({ topic, messages: numbered(`${name}-${partition}`, 25).map(value => ({ value, partition })) })
  }
}

const written = name => [0, 1, 2, 3].flatMap(partition => numbered(`${name}-${partition}`, 25))
const valuesOf = (...members) => members.flatMap(found => found.records.map(record => record.value))

// One member has everything, and two have a half each.
const first = await member(groupId, topic)
await until('the first to have everything', () => first.partitions.length === 4)
const second = await member(groupId, topic)
await until('both to have a half', () => first.partitions.length === 2 && second.partitions.length === 2)
sameItems([...first.partitions, ...second.partitions], [0, 1, 2, 3], 'the division')
const shares = [first, second].map(found => [...found.partitions])
await produce('a')
await until(() => `100 records, not ${valuesOf(first, second).length}`, () => valuesOf(first, second).length >= 100)
sameItems(valuesOf(first, second), written('a'), 'each record once')

for (const [i, found] of [first, second].entries()) {
  assert.ok(found.records.every(record => shares[i].includes(record.partition)), 'only of its own partitions')
}

// Their positions are committed.
for (const [i, found] of [first, second].entries()) {
  await found.consumer.commitOffsets(shares[i].map(partition => ({ topic, partition, offset: '25', metadata: `by ${i}` })))
}

const committed = async () => (await admin.fetchOffsets({ groupId, topics: [topic] }))[0].partitions
sameItems((await committed()).map(it => `${it.partition}:${it.offset}`), ['0:25', '1:25', '2:25', '3:25'], 'committed')
assert.ok((await committed()).every(it => it.metadata.startsWith('by ')), 'with metadata')

// The group as others see it.
const { groups } = await admin.describeGroups([groupId])
assert.equal(groups[0].state, 'Stable')
assert.equal(groups[0].members.length, 2)

// One leaves: the other gets its partitions, and reads on from the committed offsets.
await second.consumer.disconnect()
await until('the first to have everything again', () => first.partitions.length === 4)
await produce('b')
const isOfB = value => value.startsWith('b')
await until('100 more records', () => valuesOf(first).filter(isOfB).length >= 100)
sameItems(valuesOf(first).filter(isOfB), written('b'), 'each new record once')
await first.consumer.commitOffsets([0, 1, 2, 3].map(partition => ({ topic, partition, offset: '50' })))
await first.consumer.disconnect()

// A new member resumes.
await produce('c')
const third = await member(groupId, topic)
await until('the records after the resumption', () => third.records.length >= 100)
sameItems(valuesOf(third), written('c'), 'resumed at the committed offsets')
await third.consumer.disconnect()

finish('300 records, 2 members, 3 generations, resumed')
