namespace LibKafka.Client

open System
open LibKafka.Protocol

/// Deleting records and finding offsets: calls that the leaders of partitions answer.
[<RequireQualifiedAccess>]
module internal OffsetAdmin =

    /// Asks the leader of each item's partition. Each result is that of the partition.
    let askLeaders (brokers: AdminBrokers) (partitionOf: 'Item -> TopicPartition) (items: 'Item list) operation askSome =
        let leaderOf = brokers.Leaders(List.map partitionOf items, operation)
        AdminRequest.askEach items partitionOf (partitionOf >> leaderOf) (fun leader -> brokers.Connect(leader, operation)) askSome

    let private withPartition results = results |> List.map (fun ((partition: TopicPartition, _), result) -> partition, result)

    let deleteRecords (brokers: AdminBrokers) (before: (TopicPartition * int64) list) (timeout: TimeSpan) operation =
        let askSome connection (some: (TopicPartition * int64) list) =
            let partition (at: TopicPartition, offset) : DeleteRecords.Partition = { PartitionIndex = at.Partition; Offset = offset }
            let topic name partitions : DeleteRecords.Topic = { Name = name; Partitions = partitions }

            let request: DeleteRecords.Request =
                { Topics = Offsets.topics topic partition some; TimeoutMs = Milliseconds.ofTimeSpan timeout }

            AdminRequest.ask connection operation some DeleteRecords.api request fst (fun response ->
                response.Topics
                |> List.collect (fun topic -> Offsets.inTopic topic.Name topic.Partitions _.PartitionIndex)
                |> List.map (fun (partition, result) -> partition, AdminFault.check result.Error None result.LowWatermark))

        askLeaders brokers fst before operation askSome |> withPartition

    let private listKnown isolation (timeout: TimeSpan) operation connection (some: (TopicPartition * OffsetSpec) list) =
        let partition (at: TopicPartition, spec) : ListOffsets.PartitionRequest =
            { PartitionIndex = at.Partition; CurrentLeaderEpoch = -1; Spec = spec; MaxNumOffsets = 1 }

        let topic name partitions : ListOffsets.TopicRequest = { Name = name; Partitions = partitions }

        let request: ListOffsets.Request =
            { ReplicaId = -1
              IsolationLevel = isolation
              Topics = Offsets.topics topic partition some
              TimeoutMs = Milliseconds.ofTimeSpan timeout }

        AdminRequest.ask connection operation some ListOffsets.api request fst (fun response ->
            response.Topics
            |> List.collect (fun topic -> Offsets.inTopic topic.Name topic.Partitions _.PartitionIndex)
            |> List.map (fun (partition, result) -> partition, AdminFault.check result.Error None result))

    let list (brokers: AdminBrokers) (wanted: (TopicPartition * OffsetSpec) list) isolation timeout operation =
        let known connection (_, spec: OffsetSpec) =
            connection
            |> Result.bind (fun (connection: Connection) -> connection.VersionWithin(ListOffsets.api.Key, AllowedVersions.finding spec))
            |> Result.mapError AdminFault.Fault

        let askSome connection some =
            AdminRequest.askEach some fst (known connection) (fun _ -> connection) (listKnown isolation timeout operation)

        askLeaders brokers fst wanted operation askSome |> withPartition
