namespace LibKafka.Testing

open System
open LibKafka
open LibKafka.Protocol

/// DescribeCluster and DescribeTopicPartitions.
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
