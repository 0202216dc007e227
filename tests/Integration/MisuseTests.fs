/// Mistakes of new users, which are refused before anything is sent.
module LibKafka.Integration.MisuseTests

open System
open System.Collections.Generic
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Client
open LibKafka.Testing
open LibKafka.Integration.Support

let private settings = ClientSettings.standard
let private partition: TopicPartition = { Topic = "orders"; Partition = 0 }

// The name of the argument that is refused.
let private refusedBy (call: unit -> 'Result) : string | null =
    try
        call () |> ignore
        failtest "it is accepted"
    with :? ArgumentException as error ->
        error.ParamName

let private cluster (test: TestBroker -> Bootstrap -> unit) =
    use kafka = TestBroker.Start()
    kafka.Topic "orders"
    test kafka (Bootstrap.parse kafka.Bootstrap |> ok)

[<Tests>]
let tests =
    testList
        "misuse"
        [ test "a negative offset is committed" {
              cluster (fun kafka brokers ->
                  let negative = CommittedOffset.at -1L
                  use group = new GroupClient(settings, brokers, "g")
                  Expect.equal
                      (refusedBy (fun () -> group.CommitOffsets(GroupMembership.none, [ partition, negative ])))
                      "offsets"
                      "by a client"
                  Expect.equal
                      (refusedBy (fun () -> group.BeginCommitOffsets(GroupMembership.none, [ partition, negative ])))
                      "offsets"
                      "in two parts"
                  use transaction = new TransactionClient(settings, brokers, "t")
                  Expect.equal
                      (refusedBy (fun () -> transaction.CommitOffsets(group, GroupMembership.none, [ partition, negative ])))
                      "offsets"
                      "in a transaction"
                  Expect.equal (group.FetchOffset partition).Result (Ok None) "nothing is stored, and the client can be used")
          }

          test "a member of a group commits a negative offset" {
              cluster (fun kafka _ ->
                  let options = LibKafka.KafkaClientOptions kafka.Bootstrap
                  use consumer = new LibKafka.GroupConsumer(options, LibKafka.GroupConsumerOptions("g", [ "orders" ]))
                  while Seq.isEmpty consumer.Partitions do
                      consumer.Poll(TimeSpan.FromSeconds 1.0) |> ignore

                  let offsets = [ KeyValuePair(LibKafka.TopicPartition("orders", 0), LibKafka.CommittedOffset -5L) ]
                  Expect.equal (refusedBy (fun () -> consumer.Commit offsets)) "offsets" "the argument"
                  Expect.isTrue (consumer.Commit().IsStored) "the consumer can be used")
          }

          test "a C# program that opens LibKafka and LibKafka.Testing has no ambiguous name" {
              let names (space: string) (assembly: Reflection.Assembly) =
                  set
                      [ for one in assembly.GetExportedTypes() do
                            if one.Namespace = space then one.Name ]

              let facade = names "LibKafka" typeof<LibKafka.KafkaClientOptions>.Assembly
              let testing = names "LibKafka.Testing" typeof<TestBroker>.Assembly
              Expect.isGreaterThan testing.Count 10 "types for tests"
              Expect.equal (Set.intersect facade testing) Set.empty "names of both"
          }

          test "what is printed without a thought has a readable text" {
              cluster (fun kafka brokers ->
                  use connection = Cluster.Connect(settings, brokers) |> ok
                  Expect.equal (string connection) ("connection to " + kafka.Bootstrap) "a connection"
                  use client = new PartitionClient(settings, brokers, partition)
                  Expect.equal (string client) "client of orders-0" "a client"
                  Expect.equal (string (RecordSet.split Bytes.empty)) "0 bytes of record batches" "a record set"
                  Expect.equal (string BatchRecords.Empty) "0 records" "records"
                  Expect.stringContains (string Reading.standard) "Codecs: none" "no codecs")
          }

          test "a transactional id is empty" {
              let brokers = Bootstrap.ofAddresses []
              Expect.equal (refusedBy (fun () -> new TransactionClient(settings, brokers, ""))) "transactionalId" "F#"
              let options = LibKafka.KafkaClientOptions "localhost:1"
              Expect.equal (refusedBy (fun () -> new LibKafka.TransactionClient(options, ""))) "transactionalId" "C#"
          } ]
