/// Produces the lines of the standard input, each "key value", to a topic: bootstrap topic
module LibKafka.Samples.KeyedProducer

open System
open System.Text
open LibKafka.Client
open LibKafka.Topics

let private undelivered (event: ProducerEvent) =
    match event with
    | ProducerEvent.Undelivered batch -> batch.Records.Count
    | _ -> 0

let run (bootstrap: string) (topic: string) : int =
    let brokers = Bootstrap.parse bootstrap |> Result.defaultWith (failwithf "%O")
    use producer = TopicProducer.Open(ClientSettings.standard, brokers, topic) |> Result.defaultWith (failwithf "%O")

    let rec add (words: byte[][]) : int =
        match producer.Add(words[0], words[words.Length - 1]) with
        | Added.Full -> List.sumBy undelivered (producer.Poll(TimeSpan.FromSeconds 1.0)) + add words
        | Added.Collected _ -> List.sumBy undelivered (producer.Poll TimeSpan.Zero)
        | Added.TooLarge -> 1

    let lines =
        Seq.initInfinite (fun _ -> Console.ReadLine()) |> Seq.map Option.ofObj |> Seq.takeWhile Option.isSome |> Seq.choose id
    let failed = lines |> Seq.sumBy (fun line -> line.Split(' ', 2) |> Array.map Encoding.UTF8.GetBytes |> add)
    let rest = producer.Flush(TimeSpan.FromSeconds 30.0) @ producer.Close()
    let failed = failed + List.sumBy undelivered rest
    eprintfn $"{failed} records were not delivered"
    min failed 1
