/// Administrative calls against what a real broker answered.
module LibKafka.Integration.AdminTests

open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Replay
open LibKafka.Integration.Support

let private result (code: ErrorCode) (remark: string option) (value: 'Value) : Result<'Value, AdminFault> =
    if code.IsError then Error(AdminFault.Refused(code, remark)) else Ok value

let private withAdmin (brokers: Bootstrap) (call: AdminClient -> AdminReply<'Item, 'Value>) =
    use admin = new AdminClient(patient, brokers)
    let reply = call admin
    Expect.isNonEmpty reply.Exchanges "what was sent is told"
    reply.Result

/// The answers in the order of the request. A broker may leave an item out, answer about another one, or answer several times: then an answer
/// without an error counts.
let private inOrder (items: 'Item list) (answers: ('Item * Result<'Value, AdminFault>) list) : ('Item * Result<'Value, AdminFault>) list =
    items
    |> List.map (fun item ->
        answers
        |> List.filter (fun (answered, _) -> answered = item)
        |> List.sortBy (snd >> Result.isError)
        |> List.tryHead
        |> Option.defaultValue (item, Error AdminFault.NotAnswered))

let private span (milliseconds: int) = ms milliseconds

let private newTopic (topic: CreateTopics.Topic) : NewTopic =
    { Name = topic.Name
      Partitions = topic.NumPartitions
      ReplicationFactor = topic.ReplicationFactor
      Configs = topic.Configs |> List.map (fun config -> config.Name, Option.get config.Value) }

let private isPlain (request: CreateTopics.Request) =
    not request.ValidateOnly
    && not request.Topics.IsEmpty
    && request.Topics |> List.forall (fun topic -> topic.Assignments.IsEmpty)

let private names (request: DeleteTopics.Request) = request.TopicNames @ (request.Topics |> List.choose _.Name)

let private configResource kind name = { Type = kind; Name = name }

/// Whether the broker of the test, which has the id 1, is responsible for all resources.
let private areOfBroker1 (resources: (ConfigResourceType * string) list) =
    let names =
        resources
        |> List.map (fun (kind, name) ->
            match kind with
            | ConfigResourceType.Broker
            | ConfigResourceType.BrokerLogger -> name
            | _ -> "")

    // The client asks each of the named brokers on its own.
    match List.distinct names with
    | [ "" ]
    | [ "1" ] -> true
    | _ -> false

let private recordedAnswers =
    testList
        "recorded"
        [ // A new broker has defaults in old versions too, but the client cannot know that.
          replaysWhere
              (fun version (request: CreateTopics.Request) ->
                  version >= CreateTopics.defaultsSince || not (request.Topics |> List.exists NewTopic.usesDefaults))
              CreateTopics.api
              (function
              | Request.CreateTopics request when isPlain request -> Some request
              | _ -> None)
              id
              (fun brokers request -> withAdmin brokers _.CreateTopics(List.map newTopic request.Topics, span request.TimeoutMs))
              (fun _ request response ->
                  response.Topics
                  |> List.map (fun topic -> topic.Name, result topic.Error topic.ErrorMessage topic)
                  |> inOrder (request.Topics |> List.map _.Name))

          replays
              DeleteTopics.api
              (function
              | Request.DeleteTopics request when (names request).Length > 0 && request.Topics |> List.forall _.Name.IsSome -> Some request
              | _ -> None)
              id
              (fun brokers request -> withAdmin brokers _.DeleteTopics(names request, span request.TimeoutMs))
              (fun _ request response ->
                  response.Topics
                  |> List.map (fun topic -> Option.get topic.Name, result topic.Error topic.ErrorMessage topic)
                  |> inOrder (names request))

          replays
              CreatePartitions.api
              (function
              | Request.CreatePartitions request when not request.Topics.IsEmpty -> Some request
              | _ -> None)
              id
              (fun brokers request -> withAdmin brokers _.CreatePartitions(request.Topics, span request.TimeoutMs, request.ValidateOnly))
              (fun _ request response ->
                  response.Results
                  |> List.map (fun topic -> topic.Name, result topic.Error topic.ErrorMessage ())
                  |> inOrder (request.Topics |> List.map _.Name))

          replays
              DescribeConfigs.api
              (function
              | Request.DescribeConfigs request when
                  areOfBroker1 [ for resource in request.Resources -> resource.ResourceType, resource.ResourceName ]
                  ->
                  Some request
              | _ -> None)
              id
              (fun brokers request ->
                  withAdmin brokers _.DescribeConfigs(request.Resources, request.IncludeSynonyms, request.IncludeDocumentation))
              (fun _ request response ->
                  response.Results
                  |> List.map (fun found ->
                      let configs = found.Configs |> List.map (DescribeConfigs.withSource found.ResourceType)
                      configResource found.ResourceType found.ResourceName, result found.Error found.ErrorMessage configs)
                  |> inOrder [ for resource in request.Resources -> configResource resource.ResourceType resource.ResourceName ])

          replays
              IncrementalAlterConfigs.api
              (function
              | Request.IncrementalAlterConfigs request when
                  areOfBroker1 [ for resource in request.Resources -> resource.ResourceType, resource.ResourceName ]
                  ->
                  Some request
              | _ -> None)
              id
              (fun brokers request -> withAdmin brokers _.AlterConfigs(request.Resources, request.ValidateOnly))
              (fun _ request response ->
                  response.Results
                  |> List.map (fun found -> configResource found.ResourceType found.ResourceName, result found.Error found.ErrorMessage ())
                  |> inOrder [ for resource in request.Resources -> configResource resource.ResourceType resource.ResourceName ])

          replays
              DeleteRecords.api
              (function
              | Request.DeleteRecords request when request.Topics |> List.exists (fun topic -> not topic.Partitions.IsEmpty) -> Some request
              | _ -> None)
              id
              (fun brokers request ->
                  let before =
                      [ for topic in request.Topics do
                            for partition in topic.Partitions ->
                                { Topic = topic.Name; Partition = partition.PartitionIndex }, partition.Offset ]

                  withAdmin brokers _.DeleteRecords(before, span request.TimeoutMs))
              (fun _ request response ->
                  [ for topic in response.Topics do
                        for found in topic.Partitions ->
                            { Topic = topic.Name; Partition = found.PartitionIndex }, result found.Error None found.LowWatermark ]
                  |> inOrder
                      [ for topic in request.Topics do
                            for at in topic.Partitions -> { Topic = topic.Name; Partition = at.PartitionIndex } ])

          // Consumers that know an epoch send it, and some act as a replica for debugging: these two fields are theirs. A field that the version
          // does not have is not sent.
          replaysWhere
              (fun version (request: ListOffsets.Request) ->
                  request.Topics
                  |> List.collect _.Partitions
                  |> List.forall (fun at -> (AllowedVersions.finding at.Spec).Lowest <= version))
              ListOffsets.api
              (function
              | Request.ListOffsets request when
                  request.ReplicaId = -1
                  && request.Topics
                     |> List.forall (fun topic ->
                         topic.Partitions |> List.forall (fun at -> at.PartitionIndex < 100 && at.PartitionIndex >= 0))
                  && (request.Topics |> List.map _.Name |> List.distinct).Length = request.Topics.Length
                  // The client asks about each partition once in a request.
                  && request.Topics
                     |> List.forall (fun topic -> (topic.Partitions |> List.distinctBy _.PartitionIndex).Length = topic.Partitions.Length)
                  ->
                  let withoutEpoch (partition: ListOffsets.PartitionRequest) = { partition with CurrentLeaderEpoch = -1 }

                  let topics = request.Topics |> List.map (fun topic -> { topic with Partitions = List.map withoutEpoch topic.Partitions })

                  Some { request with Topics = topics; TimeoutMs = 0 }
              | _ -> None)
              id
              (fun brokers request ->
                  let wanted =
                      [ for topic in request.Topics do
                            for partition in topic.Partitions ->
                                { Topic = topic.Name; Partition = partition.PartitionIndex }, partition.Spec ]

                  withAdmin brokers _.ListOffsets(wanted, request.IsolationLevel))
              (fun _ request response ->
                  [ for topic in response.Topics do
                        for found in topic.Partitions ->
                            { Topic = topic.Name; Partition = found.PartitionIndex }, result found.Error None found ]
                  |> inOrder
                      [ for topic in request.Topics do
                            for at in topic.Partitions -> { Topic = topic.Name; Partition = at.PartitionIndex } ])

          replays
              ListGroups.api
              (function
              | Request.ListGroups request -> Some request
              | _ -> None)
              id
              (fun brokers request ->
                  use admin = new AdminClient(patient, brokers)
                  admin.ListGroups(request.StatesFilter, request.TypesFilter).Result)
              (fun broker _ response -> Ok [ broker, result response.Error None response.Groups ])

          replays
              DescribeGroups.api
              (function
              | Request.DescribeGroups request when not request.Groups.IsEmpty -> Some { request with IncludeAuthorizedOperations = false }
              | _ -> None)
              id
              (fun brokers request -> withAdmin brokers _.DescribeGroups(request.Groups))
              (fun _ request response ->
                  response.Groups
                  |> List.map (fun group -> group.GroupId, result group.Error group.ErrorMessage group)
                  |> inOrder request.Groups)

          replays
              ConsumerGroupDescribe.api
              (function
              | Request.ConsumerGroupDescribe request when not request.GroupIds.IsEmpty ->
                  Some { request with IncludeAuthorizedOperations = false }
              | _ -> None)
              id
              (fun brokers request -> withAdmin brokers _.DescribeConsumerGroups(request.GroupIds))
              (fun _ request response ->
                  response.Groups
                  |> List.map (fun group -> group.GroupId, result group.Error group.ErrorMessage group)
                  |> inOrder request.GroupIds)

          replays
              DeleteGroups.api
              (function
              | Request.DeleteGroups request when not request.GroupsNames.IsEmpty -> Some request
              | _ -> None)
              id
              (fun brokers request -> withAdmin brokers _.DeleteGroups(request.GroupsNames))
              (fun _ request response ->
                  response.Results
                  |> List.map (fun group -> group.GroupId, result group.Error group.ErrorMessage ())
                  |> inOrder request.GroupsNames)

          replays
              DescribeAcls.api
              (function
              | Request.DescribeAcls request -> Some request
              | _ -> None)
              id
              (fun brokers request ->
                  use admin = new AdminClient(patient, brokers)
                  admin.DescribeAcls(request).Result)
              (fun _ _ response -> result response.Error response.ErrorMessage response.Resources)

          replays
              CreateAcls.api
              (function
              | Request.CreateAcls request when not request.Creations.IsEmpty -> Some request
              | _ -> None)
              id
              (fun brokers request -> withAdmin brokers _.CreateAcls(request.Creations))
              (fun _ request response ->
                  List.zip request.Creations response.Results
                  |> List.map (fun (rule, found) -> rule, result found.Error found.ErrorMessage ()))

          replays
              DeleteAcls.api
              (function
              | Request.DeleteAcls request when not request.Filters.IsEmpty -> Some request
              | _ -> None)
              id
              (fun brokers request -> withAdmin brokers _.DeleteAcls(request.Filters))
              (fun _ request response ->
                  List.zip request.Filters response.FilterResults
                  |> List.map (fun (filter, found) -> filter, result found.Error found.ErrorMessage found.MatchingAcls))

          replays
              DescribeCluster.api
              (function
              | Request.DescribeCluster request ->
                  Some { request with IncludeClusterAuthorizedOperations = false; IncludeFencedBrokers = false }
              | _ -> None)
              id
              (fun brokers _ ->
                  use admin = new AdminClient(patient, brokers)
                  admin.DescribeCluster().Result)
              (fun _ _ response -> result response.Error response.ErrorMessage response) ]

[<Tests>]
let tests = testList "administration" [ recordedAnswers ]
