namespace LibKafka.Testing

open System
open LibKafka
open LibKafka.Protocol

/// DescribeCluster, DescribeTopicPartitions, DescribeLogDirs and DescribeQuorum.
[<RequireQualifiedAccess>]
module internal Descriptions =

    let cluster (request: DescribeCluster.Request) (state: State) : State * Answer =
        let live = Cluster.liveNodes state

        state,
        Reply(
            Response.DescribeCluster
                { ThrottleTimeMs = 0
                  Error = ErrorCode.None
                  ErrorMessage = None
                  EndpointType = EndpointType.Broker
                  ClusterId = state.Settings.ClusterId
                  ControllerId = live |> List.tryHead |> Option.map _.Id |> Option.defaultValue -1
                  Brokers =
                    [ for node in live -> { BrokerId = node.Id; Host = node.Host; Port = node.Port; Rack = node.Rack; IsFenced = false } ]
                  ClusterAuthorizedOperations =
                    (if request.IncludeClusterAuthorizedOperations then
                         Topics.clusterOperations
                     else
                         AuthorizedOperations.NotAsked) }
        )

    let private partition (it: Partition) (state: State) : DescribeTopicPartitions.Partition =
        let told = Topics.partitionMetadata state it

        { Error = told.Error
          PartitionIndex = told.PartitionIndex
          LeaderId = told.LeaderId
          LeaderEpoch = told.LeaderEpoch
          ReplicaNodes = told.ReplicaNodes
          IsrNodes = told.IsrNodes
          EligibleLeaderReplicas = Some []
          LastKnownElr = Some []
          OfflineReplicas = told.OfflineReplicas }

    let private missing (code: ErrorCode) (name: string) : DescribeTopicPartitions.TopicResponse =
        { Error = code
          Name = Some name
          TopicId = Guid.Empty
          IsInternal = false
          Partitions = []
          AuthorizedOperations = AuthorizedOperations.NotAsked }

    // max.request.partition.size.limit
    let private mostPartitions = 2000

    /// The topics in the order of their names, with at most `room` partitions, and where to continue.
    let rec private pages (call: Call) (room: int) (wanted: (string * int32) list) (state: State) =
        match wanted with
        | [] -> [], None
        | (name, from) :: _ when room <= 0 -> [], Some({ TopicName = name; PartitionIndex = from }: DescribeTopicPartitions.Cursor)
        | (name, from) :: others ->
            match Cluster.tryTopic name state with
            | None ->
                let rest, cursor = pages call room others state
                missing ErrorCode.UnknownTopicOrPartition name :: rest, cursor
            | Some topic ->
                let last = min topic.Partitions.Length (from + room)

                let described: DescribeTopicPartitions.TopicResponse =
                    { Error = ErrorCode.None
                      Name = Some name
                      TopicId = topic.Id
                      IsInternal = topic.IsInternal
                      Partitions = [ for index in from .. last - 1 -> partition topic.Partitions[index] state ]
                      AuthorizedOperations = Topics.topicOperations }

                if last < topic.Partitions.Length then
                    [ described ], Some { TopicName = name; PartitionIndex = last }
                else
                    let rest, cursor = pages call (room - (last - from)) others state
                    described :: rest, cursor

    let topicPartitions (call: Call) (request: DescribeTopicPartitions.Request) (state: State) : State * Answer =
        let names =
            if request.Topics.IsEmpty then
                [ for topic in state.Topics.Values -> topic.Name ]
            else
                request.Topics |> List.map _.Name |> List.distinct

        let isVisible name = Security.isAllowed call AclOperation.Describe AclResourceType.Topic name state
        let visible, hidden = names |> List.sort |> List.partition isVisible

        let wanted =
            match request.Cursor with
            | None -> visible |> List.map (fun name -> name, 0)
            | Some cursor ->
                [ for name in visible do
                      if name = cursor.TopicName then name, max 0 cursor.PartitionIndex
                      elif String.CompareOrdinal(name, cursor.TopicName) > 0 then name, 0 ]

        let room =
            if request.ResponsePartitionLimit <= 0 then
                mostPartitions
            else
                min mostPartitions request.ResponsePartitionLimit
        let topics, cursor = pages call room wanted state

        let refused =
            if request.Topics.IsEmpty then
                []
            else
                hidden |> List.map (missing ErrorCode.TopicAuthorizationFailed)

        state, Reply(Response.DescribeTopicPartitions { ThrottleTimeMs = 0; Topics = topics @ refused; NextCursor = cursor })

    /// The only log directory of a broker, named as Kafka's default (`log.dirs`); nothing is on disk. It has no limit.
    let private logDirPath = "/tmp/kafka-logs"

    let private logDir (call: Call) (wanted: (Topic * int32 list) list) (state: State) : DescribeLogDirs.LogDir =
        let replica (topic: Topic) (index: int32) : DescribeLogDirs.Partition option =
            match Cluster.tryPartition topic.Name index state with
            | Some partition when List.contains call.Node partition.Replicas ->
                Some
                    { PartitionIndex = index
                      PartitionSize = Log.bytesBefore (Cluster.endOf call.Node partition) partition.Log
                      OffsetLag = max 0L (Cluster.highWatermark partition - Cluster.endOf call.Node partition)
                      IsFutureKey = false }
            | _ -> None

        let replicas (topic: Topic) (indexes: int32 list) : DescribeLogDirs.Topic =
            { Name = topic.Name; Partitions = List.choose (replica topic) indexes }

        let topics = wanted |> List.map (fun (topic, indexes) -> replicas topic indexes)
        let topics = topics |> List.filter (fun topic -> not topic.Partitions.IsEmpty)

        { Error = ErrorCode.None
          Path = logDirPath
          Topics = topics
          TotalBytes = Int64.MaxValue
          UsableBytes = Int64.MaxValue
          IsCordoned = false }

    let logDirs (call: Call) (request: DescribeLogDirs.Request) (state: State) : State * Answer =
        let wanted =
            match request.Topics with
            | None -> [ for topic in state.Topics.Values -> topic, [ 0 .. topic.Partitions.Length - 1 ] ]
            | Some topics ->
                [ for topic in topics do
                      match Cluster.tryTopic topic.Topic state with
                      | Some found -> found, topic.Partitions
                      | None -> () ]

        let response: DescribeLogDirs.Response =
            if Security.isAllowed call AclOperation.Describe AclResourceType.Cluster Security.clusterName state then
                { ThrottleTimeMs = 0; Error = ErrorCode.None; Results = [ logDir call wanted state ] }
            else
                { ThrottleTimeMs = 0; Error = ErrorCode.ClusterAuthorizationFailed; Results = [] }

        state, Reply(Response.DescribeLogDirs response)

    /// There is no other directory to move replicas to.
    let alterLogDirs (call: Call) (request: AlterReplicaLogDirs.Request) (state: State) : State * Answer =
        let isAllowed = Security.isAllowed call AclOperation.Alter AclResourceType.Cluster Security.clusterName state

        let codeOf (path: string) (topic: string) (index: int32) : ErrorCode =
            match Cluster.tryPartition topic index state with
            | _ when not isAllowed -> ErrorCode.ClusterAuthorizationFailed
            | _ when path <> logDirPath -> ErrorCode.LogDirNotFound
            | Some partition when List.contains call.Node partition.Replicas -> ErrorCode.None
            | _ -> ErrorCode.ReplicaNotAvailable

        let results: (string * AlterReplicaLogDirs.PartitionResult) list =
            [ for dir in request.Dirs do
                  for topic in dir.Topics do
                      for index in topic.Partitions -> topic.Name, { PartitionIndex = index; Error = codeOf dir.Path topic.Name index } ]

        let topics: AlterReplicaLogDirs.TopicResult list =
            [ for name, some in results |> List.groupBy fst -> { TopicName = name; Partitions = List.map snd some } ]

        state, Reply(Response.AlterReplicaLogDirs { ThrottleTimeMs = 0; Results = topics })

    // The quorum consists of all brokers. The metadata log is not kept: its end follows from the time, as the leader appends a record to an idle log
    // every half second (metadata.max.idle.interval.ms).
    let private quorum (call: Call) (state: State) : DescribeQuorum.PartitionResponse =
        let finish = call.Now / 500L

        let voter (node: Node) : DescribeQuorum.Replica =
            { ReplicaId = node.Id
              ReplicaDirectoryId = Guid(node.Id, 0s, 0x4000s, 0x80uy, 0uy, 0uy, 0uy, 0uy, 0uy, 0uy, 0uy)
              LogEndOffset = finish
              LastFetchTimestamp = call.Now
              LastCaughtUpTimestamp = call.Now }

        let live = Cluster.liveNodes state

        { PartitionIndex = 0
          Error = ErrorCode.None
          ErrorMessage = Some ""
          LeaderId = live |> List.tryHead |> Option.map _.Id |> Option.defaultValue -1
          LeaderEpoch = 1
          HighWatermark = finish
          CurrentVoters = List.map voter live
          Observers = [] }

    let private noQuorum (index: int32) : DescribeQuorum.PartitionResponse =
        { PartitionIndex = index
          Error = ErrorCode.UnknownTopicOrPartition
          ErrorMessage = Some ""
          LeaderId = -1
          LeaderEpoch = -1
          HighWatermark = -1L
          CurrentVoters = []
          Observers = [] }

    let describeQuorum (call: Call) (request: DescribeQuorum.Request) (state: State) : State * Answer =
        let answer code topics nodes =
            state, Reply(Response.DescribeQuorum { Error = code; ErrorMessage = Some ""; Topics = topics; Nodes = nodes })

        if Security.isAllowed call AclOperation.Describe AclResourceType.Cluster Security.clusterName state then
            let partition (topic: string) (wanted: DescribeQuorum.PartitionRequest) =
                if topic = "__cluster_metadata" && wanted.PartitionIndex = 0 then
                    quorum call state
                else
                    noQuorum wanted.PartitionIndex

            let topics: DescribeQuorum.TopicResponse list =
                [ for topic in request.Topics ->
                      { TopicName = topic.TopicName; Partitions = topic.Partitions |> List.map (partition topic.TopicName) } ]

            let nodes: DescribeQuorum.Node list =
                [ for node in Cluster.liveNodes state ->
                      { NodeId = node.Id; Listeners = [ { Name = "CONTROLLER"; Host = node.Host; Port = uint16 node.Port } ] } ]

            answer ErrorCode.None topics nodes
        else
            answer ErrorCode.ClusterAuthorizationFailed [] []
