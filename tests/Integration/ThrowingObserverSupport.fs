/// Brokers that answer everything, and observers that throw.
module LibKafka.Integration.ThrowingObserverSupport

open System
open System.Diagnostics
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Replay
open LibKafka.Integration.Support

let topicId = Guid "99999999-2222-3333-4444-555555555555"

let doubtfulId = Guid "99999999-2222-3333-4444-666666666666"

let partition = { Topic = "t"; Partition = 0 }

// ---- A broker that answers everything ----

/// Answers any request with the default response, which has no error.
let private byDefault (received: Received) : Act list =
    received.Header.ApiKey
    |> Apis.visit
        { new IApiVisitor<Act list> with
            member _.Visit(api, _, _) = Script.answer api received api.Response.Schema.Default }
    |> Option.defaultWith (fun () -> Script.unexpected received)

let fetched (request: Fetch.Request) : Fetch.Response =
    let isOpening = request.SessionEpoch >= 0

    { Script.fetched (fun answer -> { answer with HighWatermark = 9L }) request with
        SessionId = (if isOpening then 5 else 0) }

let private joined (request: JoinGroup.Request) : JoinGroup.Response =
    if request.MemberId = "" then
        { JoinGroup.response.Default with Error = ErrorCode.MemberIdRequired; MemberId = "m" }
    else
        { JoinGroup.response.Default with MemberId = request.MemberId; GenerationId = 3 }

let private committed (request: OffsetCommit.Request) : OffsetCommit.Response =
    { OffsetCommit.response.Default with
        Topics =
            [ for topic in request.Topics ->
                  { Name = topic.Name
                    TopicId = topic.TopicId
                    Partitions = [ for at in topic.Partitions -> { PartitionIndex = at.PartitionIndex; Error = ErrorCode.None } ] } ] }

let private offsetsOf (request: OffsetFetch.Request) : OffsetFetch.Response =
    let answer: OffsetFetch.PartitionResponse =
        { OffsetFetch.partitionResponse.Default with PartitionIndex = 0; CommittedOffset = 4L }

    { OffsetFetch.response.Default with
        Groups =
            [ for group in request.Groups ->
                  { OffsetFetch.groupResponse.Default with
                      GroupId = group.GroupId
                      Topics = [ { Name = "t"; TopicId = Guid.Empty; Partitions = [ answer ] } ] } ] }

let private addedTo (request: AddPartitionsToTxn.Request) : AddPartitionsToTxn.Response =
    { AddPartitionsToTxn.api.Response.Schema.Default with
        Topics =
            [ for topic in request.Topics ->
                  { Name = topic.Name
                    Partitions = [ for index in topic.Partitions -> { PartitionIndex = index; Error = ErrorCode.None } ] } ] }

let private committedIn (request: TxnOffsetCommit.Request) : TxnOffsetCommit.Response =
    { TxnOffsetCommit.api.Response.Schema.Default with
        Topics =
            [ for topic in request.Topics ->
                  { Name = topic.Name
                    TopicId = topic.TopicId
                    Partitions = [ for at in topic.Partitions -> { PartitionIndex = at.PartitionIndex; Error = ErrorCode.None } ] } ] }

/// A broker with every role. It gives a new epoch at each end of a transaction.
let respond (me: BrokerAddress) (received: Received) : Act list =
    let answer api response = Script.answer api received response
    let finalized: ApiVersions.FinalizedFeature = { Name = "transaction.version"; MaxVersionLevel = 2s; MinVersionLevel = 2s }
    let table = [ for code in 0s .. 92s -> Script.versions (ApiKey code) 0 99 ]

    match received.Request with
    | Request.ApiVersions _ ->
        answer ApiVersions.api { Script.versionsResponse ErrorCode.None table with FinalizedFeatures = [ finalized ] }
    | Request.Metadata _ -> answer Metadata.api (Script.metadata me [ Script.topic "t" topicId; Script.topic "doubtful" doubtfulId ])
    | Request.FindCoordinator request -> coordinating me received request
    | Request.Produce { Acks = acks } when acks = Acks.None -> []
    | Request.Produce request -> answer Produce.api (Script.produced id request)
    | Request.Fetch request -> answer Fetch.api (fetched request)
    | Request.ListOffsets request -> answer ListOffsets.api (Script.found 7L request)
    | Request.OffsetForLeaderEpoch _ ->
        let found = { OffsetForLeaderEpoch.partitionResponse.Default with Partition = 0; LeaderEpoch = 3; EndOffset = 9L }
        answer OffsetForLeaderEpoch.api { OffsetForLeaderEpoch.response.Default with Topics = [ { Topic = "t"; Partitions = [ found ] } ] }
    | Request.JoinGroup request -> answer JoinGroup.api (joined request)
    | Request.OffsetCommit request -> answer OffsetCommit.api (committed request)
    | Request.OffsetFetch request -> answer OffsetFetch.api (offsetsOf request)
    | Request.InitProducerId _ -> answer InitProducerId.api { InitProducerId.response.Default with ProducerId = 40L; ProducerEpoch = 5s }
    | Request.AddPartitionsToTxn request -> answer AddPartitionsToTxn.api (addedTo request)
    | Request.TxnOffsetCommit request -> answer TxnOffsetCommit.api (committedIn request)
    | Request.EndTxn request ->
        answer EndTxn.api { EndTxn.response.Default with ProducerId = 40L; ProducerEpoch = request.ProducerEpoch + 1s }
    | Request.ConsumerGroupHeartbeat request ->
        let epoch = if request.MemberEpoch < 0 then request.MemberEpoch else request.MemberEpoch + 3
        answer ConsumerGroupHeartbeat.api { ConsumerGroupHeartbeat.response.Default with MemberId = Some "m"; MemberEpoch = epoch }
    | Request.SaslHandshake _ -> answer SaslHandshake.api { SaslHandshake.response.Default with Mechanisms = [ "PLAIN" ] }
    | _ -> byDefault received

// ---- What disturbs a call ----

let message = "the disk is full"

/// Throws at one of the exchanges that it sees, counted from when it was armed. It also counts them.
type Fuse() =
    let mutable seen = 0
    let mutable at = 0

    /// From now on, the exchange with this number throws; 0 for none.
    member _.Arm(number: int) =
        seen <- 0
        at <- number

    /// The number of exchanges since it was armed.
    member _.Seen = seen

    member _.Note() =
        seen <- seen + 1
        if seen = at then failwith message

/// Settings whose exchanges the fuse sees, for the duration of a test.
let private byObserver (fuse: Fuse) (test: ClientSettings -> unit) = test { patient with Observe = fun _ -> fuse.Note() }

/// The same by a listener to the activities of a client with its own id. Other tests run at the same time.
let private byListener (fuse: Fuse) (test: ClientSettings -> unit) =
    let clientId = Guid.NewGuid().ToString()
    let isOurs (activity: Activity) = string (activity.GetTagItem "messaging.client.id") = clientId

    use listener =
        new ActivityListener(
            ShouldListenTo = (fun source -> source.Name = Telemetry.Name),
            Sample = SampleActivity<ActivityContext>(fun _ -> ActivitySamplingResult.AllDataAndRecorded),
            ActivityStopped = (fun activity -> if isOurs activity then fuse.Note())
        )

    ActivitySource.AddActivityListener listener
    test { patient with ClientId = clientId }

let means = [ "an observer", byObserver; "a listener to activities", byListener ]

let clientOf settings brokers = new PartitionClient(settings, brokers, partition)
