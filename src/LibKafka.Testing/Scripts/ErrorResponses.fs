namespace LibKafka.Testing

open System
open LibKafka
open LibKafka.Protocol

/// Responses in which everything failed.
[<RequireQualifiedAccess>]
module ErrorResponses =

    let private produce (code: ErrorCode) (request: Produce.Request) : Produce.Response =
        let partition (data: Produce.PartitionData) : Produce.PartitionResponse =
            { Index = data.Index
              Error = code
              BaseOffset = -1L
              LogAppendTimeMs = -1L
              LogStartOffset = -1L
              RecordErrors = []
              ErrorMessage = None
              CurrentLeader = CurrentLeader.unknown }

        { Topics = [ for t in request.Topics -> { Name = t.Name; TopicId = t.TopicId; Partitions = t.Partitions |> List.map partition } ]
          ThrottleTimeMs = 0
          NodeEndpoints = [] }

    /// An incremental fetch names no partitions, so that the error is that of the session.
    let private fetch (code: ErrorCode) (request: Fetch.Request) : Fetch.Response =
        let partition (asked: Fetch.PartitionRequest) : Fetch.PartitionResponse =
            { PartitionIndex = asked.Partition
              Error = code
              HighWatermark = -1L
              LastStableOffset = -1L
              LogStartOffset = -1L
              AbortedTransactions = None
              PreferredReadReplica = -1
              Records = Some(Wire.Bytes Array.empty)
              DivergingEpoch = { Epoch = -1; EndOffset = -1L }
              CurrentLeader = CurrentLeader.unknown
              SnapshotId = { EndOffset = -1L; Epoch = -1 } }

        { ThrottleTimeMs = 0
          Error = (if request.Topics.IsEmpty then code else ErrorCode.None)
          SessionId = (if request.Topics.IsEmpty then 0 else request.SessionId)
          Topics = [ for t in request.Topics -> { Topic = t.Topic; TopicId = t.TopicId; Partitions = t.Partitions |> List.map partition } ]
          NodeEndpoints = [] }

    let private listOffsets (code: ErrorCode) (request: ListOffsets.Request) : ListOffsets.Response =
        let partition (asked: ListOffsets.PartitionRequest) : ListOffsets.PartitionResponse =
            { PartitionIndex = asked.PartitionIndex
              Error = code
              OldStyleOffsets = []
              Timestamp = -1L
              Offset = -1L
              LeaderEpoch = -1 }

        { ThrottleTimeMs = 0
          Topics = [ for t in request.Topics -> { Name = t.Name; Partitions = t.Partitions |> List.map partition } ] }

    let private metadata (code: ErrorCode) (request: Metadata.Request) : Metadata.Response =
        let topic (asked: Metadata.TopicRequest) : Metadata.Topic =
            { Error = code
              Name = asked.Name
              TopicId = asked.TopicId
              IsInternal = false
              Partitions = []
              AuthorizedOperations = AuthorizedOperations.NotAsked }

        let topics = request.Topics |> Option.defaultValue []

        { ThrottleTimeMs = 0
          Brokers = []
          ClusterId = None
          ControllerId = -1
          Topics = topics |> List.map topic
          ClusterAuthorizedOperations = AuthorizedOperations.NotAsked
          Error = (if topics.IsEmpty then code else ErrorCode.None) }

    let private offsetForLeaderEpoch (code: ErrorCode) (request: OffsetForLeaderEpoch.Request) : OffsetForLeaderEpoch.Response =
        let partition (asked: OffsetForLeaderEpoch.PartitionRequest) : OffsetForLeaderEpoch.PartitionResponse =
            { Error = code; Partition = asked.Partition; LeaderEpoch = -1; EndOffset = -1L }

        { ThrottleTimeMs = 0
          Topics = [ for t in request.Topics -> { Topic = t.Topic; Partitions = t.Partitions |> List.map partition } ] }

    let private deleteRecords (code: ErrorCode) (request: DeleteRecords.Request) : DeleteRecords.Response =
        let partition (asked: DeleteRecords.Partition) : DeleteRecords.PartitionResult =
            { PartitionIndex = asked.PartitionIndex; LowWatermark = -1L; Error = code }

        { ThrottleTimeMs = 0
          Topics = [ for t in request.Topics -> { Name = t.Name; Partitions = t.Partitions |> List.map partition } ] }

    let private createTopics (code: ErrorCode) (request: CreateTopics.Request) : CreateTopics.Response =
        let topic (asked: CreateTopics.Topic) : CreateTopics.TopicResult =
            { Name = asked.Name
              TopicId = Guid.Empty
              Error = code
              ErrorMessage = None
              TopicConfigError = ErrorCode.None
              NumPartitions = -1
              ReplicationFactor = -1s
              Configs = None }

        { ThrottleTimeMs = 0; Topics = request.Topics |> List.map topic }

    let private deleteTopics (code: ErrorCode) (request: DeleteTopics.Request) : DeleteTopics.Response =
        let result name id : DeleteTopics.TopicResult = { Name = name; TopicId = id; Error = code; ErrorMessage = None }
        let byName = request.TopicNames |> List.map (fun name -> result (Some name) Guid.Empty)
        { ThrottleTimeMs = 0; Topics = byName @ (request.Topics |> List.map (fun topic -> result topic.Name topic.TopicId)) }

    let private offsetCommit (code: ErrorCode) (request: OffsetCommit.Request) : OffsetCommit.Response =
        let partition (asked: OffsetCommit.PartitionRequest) : OffsetCommit.PartitionResponse =
            { PartitionIndex = asked.PartitionIndex; Error = code }

        { ThrottleTimeMs = 0
          Topics = [ for t in request.Topics -> { Name = t.Name; TopicId = t.TopicId; Partitions = t.Partitions |> List.map partition } ] }

    let private txnOffsetCommit (code: ErrorCode) (request: TxnOffsetCommit.Request) : TxnOffsetCommit.Response =
        let partition (asked: TxnOffsetCommit.PartitionRequest) : TxnOffsetCommit.PartitionResponse =
            { PartitionIndex = asked.PartitionIndex; Error = code }

        { ThrottleTimeMs = 0
          Topics = [ for t in request.Topics -> { Name = t.Name; TopicId = t.TopicId; Partitions = t.Partitions |> List.map partition } ] }

    /// Before version 2 only partitions have errors.
    let private offsetFetch (version: int16) (code: ErrorCode) (request: OffsetFetch.Request) : OffsetFetch.Response =
        let partition (index: int32) : OffsetFetch.PartitionResponse =
            { PartitionIndex = index; CommittedOffset = -1L; CommittedLeaderEpoch = -1; Metadata = Some ""; Error = code }

        let group (asked: OffsetFetch.GroupRequest) : OffsetFetch.GroupResponse = { GroupId = asked.GroupId; Topics = []; Error = code }
        let topic (asked: OffsetFetch.TopicRequest) : OffsetFetch.TopicResponse =
            { Name = asked.Name; Partitions = asked.PartitionIndexes |> List.map partition }

        { ThrottleTimeMs = 0
          Topics =
            [ if version < 2s then
                  yield! Option.defaultValue [] request.Topics |> List.map topic ]
          Error = code
          Groups = request.Groups |> List.map group }

    let private findCoordinator (version: int16) (code: ErrorCode) (request: FindCoordinator.Request) : FindCoordinator.Response =
        let coordinator (key: string) : FindCoordinator.Coordinator =
            { Key = key; NodeId = -1; Host = ""; Port = -1; Error = code; ErrorMessage = None }

        // Since version 4 there is a result for each key, and none for the whole response.
        let isWhole = version < 4s

        { ThrottleTimeMs = 0
          Error = (if isWhole then code else ErrorCode.None)
          ErrorMessage = None
          NodeId = (if isWhole then -1 else 0)
          Host = ""
          Port = (if isWhole then -1 else 0)
          Coordinators = request.Keys |> List.map coordinator }

    let private addPartitionsToTxn (code: ErrorCode) (request: AddPartitionsToTxn.Request) : AddPartitionsToTxn.Response =
        let results (topics: AddPartitionsToTxn.Topic list) : AddPartitionsToTxn.TopicResult list =
            [ for t in topics -> { Name = t.Name; Partitions = [ for index in t.Partitions -> { PartitionIndex = index; Error = code } ] } ]

        { ThrottleTimeMs = 0
          Error = (if request.Transactions.IsEmpty then code else ErrorCode.None)
          Transactions = [ for t in request.Transactions -> { TransactionalId = t.TransactionalId; Topics = results t.Topics } ]
          Topics = results request.Topics }

    let private describeGroups (code: ErrorCode) (request: DescribeGroups.Request) : DescribeGroups.Response =
        let group (id: string) : DescribeGroups.Group =
            { Error = code
              ErrorMessage = None
              GroupId = id
              GroupState = GroupState ""
              ProtocolType = ""
              ProtocolData = ""
              Members = []
              AuthorizedOperations = AuthorizedOperations.NotAsked }

        { ThrottleTimeMs = 0; Groups = request.Groups |> List.map group }

    let private describeConfigs (code: ErrorCode) (request: DescribeConfigs.Request) : DescribeConfigs.Response =
        let result (asked: DescribeConfigs.Resource) : DescribeConfigs.Result =
            { Error = code
              ErrorMessage = None
              ResourceType = asked.ResourceType
              ResourceName = asked.ResourceName
              Configs = [] }

        { ThrottleTimeMs = 0; Results = request.Resources |> List.map result }

    /// The responses of APIs whose response has one error code.
    let private single (version: int16) (code: ErrorCode) (request: Request) : Response voption =
        match Response.ofJson (Request.apiKey request) version ("{\"errorCode\":" + string code.Code + "}") with
        | Ok response -> ValueSome response
        | Error _ -> ValueNone

    let private ofParts (version: int16) (request: Request) (code: ErrorCode) : Response voption =
        let some (response: Response) = ValueSome response

        match request with
        | Request.Produce request -> some (Response.Produce(produce code request))
        | Request.Fetch request -> some (Response.Fetch(fetch code request))
        | Request.ListOffsets request -> some (Response.ListOffsets(listOffsets code request))
        | Request.Metadata request -> some (Response.Metadata(metadata code request))
        | Request.OffsetForLeaderEpoch request -> some (Response.OffsetForLeaderEpoch(offsetForLeaderEpoch code request))
        | Request.DeleteRecords request -> some (Response.DeleteRecords(deleteRecords code request))
        | Request.CreateTopics request -> some (Response.CreateTopics(createTopics code request))
        | Request.DeleteTopics request -> some (Response.DeleteTopics(deleteTopics code request))
        | Request.CreatePartitions request ->
            let results: CreatePartitions.TopicResult list =
                [ for topic in request.Topics -> { Name = topic.Name; Error = code; ErrorMessage = None } ]

            some (Response.CreatePartitions { ThrottleTimeMs = 0; Results = results })
        | Request.OffsetCommit request -> some (Response.OffsetCommit(offsetCommit code request))
        | Request.OffsetFetch request -> some (Response.OffsetFetch(offsetFetch version code request))
        | Request.TxnOffsetCommit request -> some (Response.TxnOffsetCommit(txnOffsetCommit code request))
        | Request.FindCoordinator request -> some (Response.FindCoordinator(findCoordinator version code request))
        | Request.AddPartitionsToTxn request -> some (Response.AddPartitionsToTxn(addPartitionsToTxn code request))
        | Request.DescribeGroups request -> some (Response.DescribeGroups(describeGroups code request))
        | Request.DeleteGroups request ->
            let results: DeleteGroups.Result list =
                [ for group in request.GroupsNames -> { GroupId = group; Error = code; ErrorMessage = None } ]

            some (Response.DeleteGroups { ThrottleTimeMs = 0; Results = results })
        | Request.DescribeConfigs request -> some (Response.DescribeConfigs(describeConfigs code request))
        | _ -> ValueNone

    /// The response to a request in which each part has the error. ValueNone if it is not known where the responses of the API have their
    /// error codes.
    let tryCreate (version: int16) (request: Request) (code: ErrorCode) : Response voption =
        match ofParts version request code with
        | ValueSome response -> ValueSome response
        | ValueNone -> single version code request

    /// The response to a request in which each part has the error. ArgumentException if it is not known where the responses of the API have
    /// their error codes.
    let create (version: int16) (request: Request) (code: ErrorCode) : Response =
        match tryCreate version request code with
        | ValueSome response -> response
        | ValueNone ->
            invalidArg (nameof request) ("No error code can be put into a response of " + (Request.apiKey request).ToString() + ".")
