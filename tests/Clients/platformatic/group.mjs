import { GroupProtocols } from '@platformatic/kafka'
import { assert, finish, numbered, sameItems, sleep, topic, until } from '../support.mjs'
import { member, newAdmin, newProducer } from './client.mjs'

const producer = newProducer()
const admin = newAdmin()
const all = [0, 1, 2, 3]
const written = name => all.flatMap(partition => numbered(`${name}-${partition}`, 25))

const produce = name => {
  const messages = all.flatMap(partition => numbered(`${name}-${partition}`, 25).map(value => ({ topic, value, partition })))
  return producer.send({ messages })
}

const valuesOf = (name, ...members) =>
  members.flatMap(found => found.records().map(record => record.value)).filter(value => value.startsWith(name))

const options = protocol => (protocol === GroupProtocols.CONSUMER ? { groupProtocol: protocol, heartbeatInterval: undefined } : {})

for (const protocol of Object.values(GroupProtocols)) {
  const groupId = `judges-${protocol}`
  const join = () => member(groupId, topic, options(protocol), { fallbackMode: 'latest' })
  const name = suffix => `${protocol}-${suffix}`

  // One member has everything, and two have a half each.
  const first = await join()
  await until('the first to have everything', () => first.partitions().length === 4)
  const second = await join()
  const isReading = (member, count) => member.positions().length === count && !member.positions().some(Number.isNaN)
  await until('both to have a half', () => isReading(first, 2) && isReading(second, 2))
  sameItems([...first.partitions(), ...second.partitions()], all, 'the division')
  // The client delivers what a fetch that is under way returns, even if the partition was revoked meanwhile.
  await sleep(300)
  await produce(name('a'))
  const here = () => valuesOf(name('a'), first, second)
  await until(() => `100 records, not ${here().length}`, () => here().length >= 100)
  sameItems(here(), written(name('a')), 'each record once')

  // Their positions are committed.
  for (const found of [first, second]) {
    for (const partition of found.partitions()) {
      await found.messages.filter(message => message.partition === partition).at(-1).commit()
    }
  }

  const [group] = await admin.listConsumerGroupOffsets({ groups: [groupId] })
  const committed = group.topics[0].partitions.map(it => Number(it.committedOffset))
  assert.equal(new Set(committed).size, 1, 'the same number of records in each partition')
  assert.equal(committed.length, 4, 'all partitions are committed')

  // One leaves: the other gets its partitions, and reads on.
  await second.leave()
  // After it has been assigned partitions, the client goes back to the committed offsets of all its partitions.
  const isAt = offset => first.positions().length === 4 && first.positions().every(it => it === offset)
  await until('the first to have everything again', () => isAt(committed[0]))
  await produce(name('b'))
  await until('100 more records', () => valuesOf(name('b'), first).length >= 100)
  sameItems(valuesOf(name('b'), first), written(name('b')), 'each new record once')
  for (const partition of all) await first.messages.filter(message => message.partition === partition).at(-1).commit()
  await first.leave()

  // A new member resumes.
  await produce(name('c'))
  const third = await join()
  await until('the records after the resumption', () => third.messages.length >= 100)
  sameItems(third.records().map(record => record.value), written(name('c')), 'resumed at the committed offsets')
  await third.leave()
  for (const found of [first, second, third]) assert.deepEqual(found.failures, [])
}

finish('2 protocols, 600 records, 2 members, 3 generations, resumed')
