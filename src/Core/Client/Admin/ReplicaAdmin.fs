namespace LibKafka.Client

open System
open LibKafka.Protocol

/// A replica of a partition: the one on a broker.
type TopicPartitionReplica =
    { Partition: TopicPartition
      BrokerId: int32 }

    /// As in `orders-3 on broker 2`.
    override this.ToString() = this.Partition.ToString() + " on broker " + string this.BrokerId

/// Elections of leaders, reassignments of replicas, and the directories that they are in.
[<RequireQualifiedAccess>]
module internal ReplicaAdmin =

    let private electionsIn (response: ElectLeaders.Response) : Result<(TopicPartition * Result<unit, AdminFault>) list, AdminFault> =
        response.Topics
        |> List.collect (fun topic -> Offsets.inTopic topic.Topic topic.Partitions _.PartitionId)
        |> List.map (fun (partition, result) -> partition, AdminFault.check result.Error result.ErrorMessage ())
        |> AdminFault.check response.Error None

    let private election kind (partitions: TopicPartition list option) (timeout: TimeSpan) : ElectLeaders.Request =
        let topic (name, some: TopicPartition list) : ElectLeaders.TopicRequest =
            { Topic = name; Partitions = some |> List.map _.Partition }

        { ElectionType = kind
          Topics = partitions |> Option.map (Offsets.byTopic id >> List.map topic)
          TimeoutMs = Milliseconds.ofTimeSpan timeout }

    let elect (brokers: AdminBrokers) kind (partitions: TopicPartition list) timeout operation =
        let request = election kind (Some partitions) timeout
        AdminRequest.askChecked (brokers.ConnectController operation) operation partitions ElectLeaders.api request id electionsIn

    let electAll (brokers: AdminBrokers) kind timeout operation =
        AdminRequest.answer (brokers.ConnectController operation) operation ElectLeaders.api (election kind None timeout) electionsIn

    let reassign (brokers: AdminBrokers) (moves: (TopicPartition * int32 list option) list) (timeout: TimeSpan) mayChangeFactor operation =
        let askSome connection some =
            let partition (at: TopicPartition, replicas) : AlterPartitionReassignments.PartitionRequest =
                { PartitionIndex = at.Partition; Replicas = replicas }

            let topic name partitions : AlterPartitionReassignments.TopicRequest = { Name = name; Partitions = partitions }

            let request: AlterPartitionReassignments.Request =
                { TimeoutMs = Milliseconds.ofTimeSpan timeout
                  AllowReplicationFactorChange = mayChangeFactor
                  Topics = Offsets.topics topic partition some }

            AdminRequest.askChecked connection operation some AlterPartitionReassignments.api request fst (fun response ->
                response.Topics
                |> List.collect (fun topic -> Offsets.inTopic topic.Name topic.Partitions _.PartitionIndex)
                |> List.map (fun (partition, result) -> partition, AdminFault.check result.Error result.ErrorMessage ())
                |> AdminFault.check response.Error response.ErrorMessage)

        AdminRequest.askApart (brokers.ConnectController operation) moves fst askSome
        |> List.map (fun ((partition, _), result) -> partition, result)

    let listReassignments (brokers: AdminBrokers) (partitions: TopicPartition list option) (timeout: TimeSpan) operation =
        let topic (name, some: TopicPartition list) : ListPartitionReassignments.TopicRequest =
            { Name = name; PartitionIndexes = some |> List.map _.Partition }

        let request: ListPartitionReassignments.Request =
            { TimeoutMs = Milliseconds.ofTimeSpan timeout
              Topics = partitions |> Option.map (Offsets.byTopic id >> List.map topic) }

        AdminRequest.answer (brokers.ConnectController operation) operation ListPartitionReassignments.api request (fun response ->
            response.Topics
            |> List.collect (fun topic -> Offsets.inTopic topic.Name topic.Partitions _.PartitionIndex)
            |> AdminFault.check response.Error response.ErrorMessage)

    // ---- log directories ----

    // Before version 3, which has an error code, the response to a client that is not authorized has no directories. Otherwise there is at least one.
    let private logDirsIn (response: DescribeLogDirs.Response) : Result<DescribeLogDirs.LogDir list, AdminFault> =
        let code =
            if response.Results.IsEmpty && not response.Error.IsError then
                ErrorCode.ClusterAuthorizationFailed
            else
                response.Error

        AdminFault.check code None response.Results

    let describeLogDirs (brokers: AdminBrokers) (ids: int32 list) (partitions: TopicPartition list option) operation =
        let topic (name, some: TopicPartition list) : DescribeLogDirs.TopicRequest =
            { Topic = name; Partitions = some |> List.map _.Partition }

        let request: DescribeLogDirs.Request = { Topics = partitions |> Option.map (Offsets.byTopic id >> List.map topic) }
        let addressOf = brokers.ById operation

        let askSome connection some =
            let answer = AdminRequest.answer connection operation DescribeLogDirs.api request logDirsIn
            some |> List.map (fun (broker: int32) -> broker, answer)

        AdminRequest.askEach ids id addressOf (fun broker -> brokers.Connect(broker, operation)) askSome

    // The directories of a request about one broker.
    let private toDirs (moves: (TopicPartitionReplica * string) list) : AlterReplicaLogDirs.LogDir list =
        let topic (name, some: TopicPartition list) : AlterReplicaLogDirs.Topic = { Name = name; Partitions = some |> List.map _.Partition }

        [ for path, some in moves |> List.groupBy snd ->
              { Path = path
                Topics = some |> List.map (fun (replica, _) -> replica.Partition) |> Offsets.byTopic id |> List.map topic } ]

    let alterLogDirs (brokers: AdminBrokers) (moves: (TopicPartitionReplica * string) list) operation =
        let askSome connection some =
            let partitionOf (replica: TopicPartitionReplica, _) = replica.Partition

            AdminRequest.ask connection operation some AlterReplicaLogDirs.api { Dirs = toDirs some } partitionOf (fun response ->
                response.Results
                |> List.collect (fun topic -> Offsets.inTopic topic.TopicName topic.Partitions _.PartitionIndex)
                |> List.map (fun (partition, result) -> partition, AdminFault.check result.Error None ()))

        let addressOf = brokers.ById operation

        AdminRequest.askEach
            moves
            fst
            (fun (replica, _) -> addressOf replica.BrokerId)
            (fun broker -> brokers.Connect(broker, operation))
            askSome
        |> List.map (fun ((replica, _), result) -> replica, result)
