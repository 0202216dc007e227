// Used by the scripts of all clients for Node.js. A script ends with exit code 0 if all its checks hold. The cluster is new, and has the topic
// `orders` with four partitions.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'

export { assert, sleep }

export const brokers = process.env.BOOTSTRAP.split(',')

/// The topic with four partitions.
export const topic = 'orders'

/// `prefix-0`, `prefix-1` and so on.
export const numbered = (prefix, count) => Array.from({ length: count }, (_, i) => `${prefix}-${i}`)

/// Waits until a condition holds.
export async function until(what, isDone, timeout = 20_000) {
  const end = Date.now() + timeout

  while (!(await isDone())) {
    assert.ok(Date.now() < end, `waited in vain for ${typeof what === 'function' ? what() : what}`)
    await sleep(20)
  }
}

/// Compares lists whose order does not matter.
export const sameItems = (actual, expected, message) => assert.deepEqual([...actual].sort(), [...expected].sort(), message)

/// The error of a call that must fail.
export async function failure(call) {
  try {
    await call
  } catch (error) {
    return error
  }

  assert.fail('the call did not fail')
}

/// Prints what was checked, as the last line, and ends the script even if a client still has timers.
export function finish(summary) {
  console.log(summary)
  process.exit(0)
}
