/// A program is tested on Kafka brokers inside the process.
module LibKafka.Samples.OrderTests

open System
open Expecto
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Topics
open LibKafka.Testing

/// The program: it produces an order.
let place (bootstrap: string) (order: string) =
    let brokers = Bootstrap.parse bootstrap |> Result.defaultWith (failwithf "%O")
    use producer = TopicProducer.Open(ClientSettings.standard, brokers, "orders") |> Result.defaultWith (failwithf "%O")
    producer.Add(NullableSpan.Null, Text.Encoding.UTF8.GetBytes order) |> ignore
    producer.Flush(TimeSpan.FromSeconds 10.0)

[<Tests>]
let tests =
    testCase "an order is produced once, even if the acknowledgement is lost" (fun () ->
        use kafka = TestBroker.Start(brokers = 3)
        kafka.Topic("orders", partitions = 1, replicas = 3)
        let lost = kafka.Script.On(ApiKey.Produce, Reaction.CutAfter 0)

        let events = place kafka.Bootstrap "order 1"

        Expect.equal lost.Hits 1 "the first response was lost"
        Expect.all events _.IsDelivered "the order was delivered"
        let orders = [ for record in kafka.Log "orders" -> record.Value |> ValueOption.map Bytes.toText ]
        Expect.equal orders [ ValueSome "order 1" ] "the log has it once")
