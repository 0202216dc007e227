/// The partition of a record with or without a key.
module LibKafka.Properties.Topics.PartitioningTests

open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Topics
open LibKafka.Properties

let private key (hex: string) = NullableSpan.op_Implicit (Bytes.ofHex hex)

[<Tests>]
let tests =
    testList
        "partitioning"
        [ testCase "chooses the partition of a key as the Java client does" (fun () ->
              let lines = TestData.jsonLines TestData.vectors "murmur2.jsonl.gz"
              Expect.isNonEmpty lines "there are vectors"

              for json in lines do
                  let hex = TestData.text "key" json

                  for partitions in [ 7; 12; 100 ] do
                      let expected = json.GetProperty("p" + string partitions).GetInt32()
                      Expect.equal (Partitioning.byKey.Invoke(key hex, partitions)) expected ("the partition of " + hex))

          testCase "hashes an empty key, and leaves a null key to any partition" (fun () ->
              Expect.equal (Partitioning.byKey.Invoke(key "", 12)) (Partitioner.ofKey 12 (Bytes.ofHex "").Span) "empty"
              Expect.equal (Partitioning.byKey.Invoke(NullableSpan.Null, 12)) Partitioning.Any "null")

          testCase "ignores keys if told so" (fun () -> Expect.equal (Partitioning.any.Invoke(key "6b", 12)) Partitioning.Any "any")

          testProperty "takes the available partitions in turn" (fun (available: Set<byte>) (count: byte) ->
              let partitions = int count
              let isAvailable partition = available.Contains(byte partition)
              let next = Partitioning.next isAvailable partitions

              match List.filter isAvailable [ 0 .. partitions - 1 ] with
              | [] -> Expect.equal (next -1) ValueNone "none is available"
              | mine ->
                  let mutable after = -1

                  for expected in mine @ mine do
                      after <- (next after).Value
                      Expect.equal after expected "the next in turn") ]
