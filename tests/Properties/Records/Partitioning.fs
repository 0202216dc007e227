/// The partition of a key.
module LibKafka.Properties.Records.Partitioning

open System
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Properties

[<Tests>]
let tests =
    testList
        "partitioner"
        [ testCase "hashes keys and chooses partitions as the Java client does" (fun () ->
              let lines = TestData.jsonLines TestData.vectors "murmur2.jsonl.gz"
              Expect.isNonEmpty lines "there are vectors"

              for json in lines do
                  let hex = TestData.text "key" json
                  let key = Bytes.ofHex hex
                  Expect.equal (Partitioner.murmur2 key.Span) (json.GetProperty("murmur2").GetInt32()) ("the hash of " + hex)

                  for partitions in [ 7; 12; 100 ] do
                      let expected = json.GetProperty("p" + string partitions).GetInt32()
                      Expect.equal (Partitioner.ofKey partitions key.Span) expected ("the partition of " + hex))

          testCase "refuses a topic without partitions" (fun () ->
              for partitions in [ 0; -1; Int32.MinValue ] do
                  Expect.throwsT<ArgumentOutOfRangeException>
                      (fun () -> Partitioner.ofKey partitions ReadOnlySpan.Empty |> ignore)
                      "refused") ]
