namespace LibKafka.Testing

open System
open LibKafka
open LibKafka.Protocol

/// The topics and partitions that requests are about.
[<RequireQualifiedAccess>]
module internal RequestPlaces =

    /// A topic that a request names, by name or by id, and its partitions; no partitions if the request is about the topic as a whole.
    type private Named = { Name: string; Id: Guid; Partitions: int32 list }

    let private whole (name: string) : Named = { Name = name; Id = Guid.Empty; Partitions = [] }

    let private named (request: Request) : Named list =
        match request with
        | Request.Produce request ->
            [ for t in request.Topics -> { Name = t.Name; Id = t.TopicId; Partitions = t.Partitions |> List.map _.Index } ]
        | Request.Fetch request ->
            [ for t in request.Topics -> { Name = t.Topic; Id = t.TopicId; Partitions = t.Partitions |> List.map _.Partition } ]
        | Request.ListOffsets request ->
            [ for t in request.Topics -> { whole t.Name with Partitions = t.Partitions |> List.map _.PartitionIndex } ]
        | Request.OffsetForLeaderEpoch request ->
            [ for t in request.Topics -> { whole t.Topic with Partitions = t.Partitions |> List.map _.Partition } ]
        | Request.DeleteRecords request ->
            [ for t in request.Topics -> { whole t.Name with Partitions = t.Partitions |> List.map _.PartitionIndex } ]
        | Request.OffsetCommit request ->
            [ for t in request.Topics -> { Name = t.Name; Id = t.TopicId; Partitions = t.Partitions |> List.map _.PartitionIndex } ]
        | Request.TxnOffsetCommit request ->
            [ for t in request.Topics -> { Name = t.Name; Id = t.TopicId; Partitions = t.Partitions |> List.map _.PartitionIndex } ]
        | Request.OffsetFetch request ->
            [ for t in Option.defaultValue [] request.Topics do
                  { whole t.Name with Partitions = t.PartitionIndexes }
              for group in request.Groups do
                  for t in Option.defaultValue [] group.Topics do
                      { Name = t.Name; Id = t.TopicId; Partitions = t.PartitionIndexes } ]
        | Request.AddPartitionsToTxn request ->
            [ for t in request.Topics do
                  { whole t.Name with Partitions = t.Partitions }
              for transaction in request.Transactions do
                  for t in transaction.Topics do
                      { whole t.Name with Partitions = t.Partitions } ]
        | Request.DescribeProducers request -> [ for t in request.Topics -> { whole t.Name with Partitions = t.PartitionIndexes } ]
        | Request.Metadata request ->
            [ for t in Option.defaultValue [] request.Topics -> { whole (Option.defaultValue "" t.Name) with Id = t.TopicId } ]
        | Request.CreateTopics request -> [ for t in request.Topics -> whole t.Name ]
        | Request.DeleteTopics request ->
            [ for name in request.TopicNames do
                  whole name
              for t in request.Topics do
                  { whole (Option.defaultValue "" t.Name) with Id = t.TopicId } ]
        | Request.CreatePartitions request -> [ for t in request.Topics -> whole t.Name ]
        | Request.DescribeTopicPartitions request -> [ for t in request.Topics -> whole t.Name ]
        | _ -> []

    /// Whether a request is about a topic, or about a partition of it. A request about a topic as a whole is about all its partitions.
    /// `nameOf` gives the names of topics that are named by id.
    let isAbout (nameOf: Guid -> string option) (topic: string | null) (partition: Nullable<int32>) (request: Request) : bool =
        let isTopic (named: Named) =
            match topic with
            | null -> true
            | topic when named.Name <> "" -> named.Name = topic
            | topic -> nameOf named.Id = Some topic

        let isPartition (named: Named) =
            not partition.HasValue || named.Partitions.IsEmpty || List.contains partition.Value named.Partitions

        (isNull topic && not partition.HasValue)
        || named request |> List.exists (fun named -> isTopic named && isPartition named)
