/// Administrative calls against what real brokers answered: replicas, groups' offsets, transactions, quotas, users, tokens and the cluster.
module LibKafka.Integration.AdminRecordingTests

open System
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Integration.Replay
open LibKafka.Integration.Support

let private result (code: ErrorCode) (remark: string option) (value: 'Value) : Result<'Value, AdminFault> =
    if code.IsError then Error(AdminFault.Refused(code, remark)) else Ok value

let private by (call: AdminClient -> 'T) (brokers: Bootstrap) : 'T =
    use admin = new AdminClient(patient, brokers)
    call admin

let private at topic index : TopicPartition = { Topic = topic; Partition = index }

/// The answer about each item, in the order of the request.
let private inOrder (items: 'Item list) (answers: ('Item * Result<'Value, AdminFault>) list) : ('Item * Result<'Value, AdminFault>) list =
    items
    |> List.map (fun item -> answers |> List.tryFind (fst >> (=) item) |> Option.defaultValue (item, Error AdminFault.NotAnswered))

/// The results of a request: its answers, or its error for each item.
let private unless (code: ErrorCode) remark (items: 'Item list) answers =
    if code.IsError then
        items |> List.map (fun item -> item, Error(AdminFault.Refused(code, remark)))
    else
        inOrder items answers

// ---- replicas ----

let private electionItems (request: ElectLeaders.Request) =
    [ for topic in Option.defaultValue [] request.Topics do
          for index in topic.Partitions -> at topic.Topic index ]

let private elections (response: ElectLeaders.Response) =
    [ for topic in response.Topics do
          for found in topic.Partitions -> at topic.Topic found.PartitionId, result found.Error found.ErrorMessage () ]

let private replicas =
    [ replays
          ElectLeaders.api
          (function
          | Request.ElectLeaders request when request.Topics.IsSome -> Some request
          | _ -> None)
          id
          (fun brokers request -> brokers |> by _.ElectLeaders(request.ElectionType, electionItems request, ms request.TimeoutMs).Result)
          (fun _ request response -> elections response |> unless response.Error None (electionItems request))

      testList
          "all"
          [ replays
                ElectLeaders.api
                (function
                | Request.ElectLeaders request when request.Topics.IsNone -> Some request
                | _ -> None)
                id
                (fun brokers request -> brokers |> by _.ElectAllLeaders(request.ElectionType, ms request.TimeoutMs).Result)
                (fun _ _ response -> result response.Error None (elections response)) ]

      replays
          AlterPartitionReassignments.api
          (function
          | Request.AlterPartitionReassignments request when not request.Topics.IsEmpty -> Some request
          | _ -> None)
          id
          (fun brokers request ->
              let moves =
                  [ for topic in request.Topics do
                        for partition in topic.Partitions -> at topic.Name partition.PartitionIndex, partition.Replicas ]

              brokers |> by _.AlterReassignments(moves, ms request.TimeoutMs, request.AllowReplicationFactorChange).Result)
          (fun _ request response ->
              [ for topic in response.Topics do
                    for found in topic.Partitions -> at topic.Name found.PartitionIndex, result found.Error found.ErrorMessage () ]
              |> unless
                  response.Error
                  response.ErrorMessage
                  [ for topic in request.Topics do
                        for partition in topic.Partitions -> at topic.Name partition.PartitionIndex ])

      replays
          ListPartitionReassignments.api
          (function
          | Request.ListPartitionReassignments request -> Some request
          | _ -> None)
          id
          (fun brokers request ->
              let partitions =
                  request.Topics
                  |> Option.map (fun topics ->
                      [ for topic in topics do
                            for index in topic.PartitionIndexes -> at topic.Name index ])

              brokers |> by _.ListReassignments(partitions, ms request.TimeoutMs).Result)
          (fun _ _ response ->
              result
                  response.Error
                  response.ErrorMessage
                  [ for topic in response.Topics do
                        for found in topic.Partitions -> at topic.Name found.PartitionIndex, found ])

      replays
          AlterReplicaLogDirs.api
          (function
          | Request.AlterReplicaLogDirs request when not request.Dirs.IsEmpty -> Some request
          | _ -> None)
          id
          (fun brokers request ->
              let moves =
                  [ for dir in request.Dirs do
                        for topic in dir.Topics do
                            for index in topic.Partitions -> { Partition = at topic.Name index; BrokerId = 1 }, dir.Path ]

              brokers |> by _.AlterReplicaLogDirs(moves).Result)
          (fun _ _ response ->
              [ for topic in response.Results do
                    for found in topic.Partitions ->
                        { Partition = at topic.TopicName found.PartitionIndex; BrokerId = 1 }, result found.Error None () ]) ]

// ---- groups ----

let private committed (partition: TopicPartition) (answer: OffsetFetch.PartitionResponse) : FetchedOffset =
    { Partition = partition
      Result =
        if answer.Error.IsError then
            Error answer.Error
        elif answer.CommittedOffset < 0L then
            Ok None
        else
            Ok(
                Some
                    { Offset = answer.CommittedOffset
                      LeaderEpoch = answer.CommittedLeaderEpoch
                      Metadata = Option.defaultValue "" answer.Metadata }
            ) }

let private fetchedIn (request: OffsetFetch.Request) (response: OffsetFetch.Response) =
    if request.Groups.IsEmpty then
        [ request.GroupId,
          result
              response.Error
              None
              [ for topic in response.Topics do
                    for found in topic.Partitions -> committed (at topic.Name found.PartitionIndex) found ] ]
    else
        [ for group in response.Groups ->
              group.GroupId,
              result
                  group.Error
                  None
                  [ for topic in group.Topics do
                        for found in topic.Partitions -> committed (at topic.Name found.PartitionIndex) found ] ]
        |> inOrder [ for group in request.Groups -> group.GroupId ]

let private groupsOf (request: OffsetFetch.Request) : (string * TopicPartition list option) list =
    if request.Groups.IsEmpty then
        let partitions (topic: OffsetFetch.TopicRequest) = topic.PartitionIndexes |> List.map (at topic.Name)
        [ request.GroupId, request.Topics |> Option.map (List.collect partitions) ]
    else
        let partitions (topic: OffsetFetch.GroupTopicRequest) = topic.PartitionIndexes |> List.map (at topic.Name)
        [ for group in request.Groups -> group.GroupId, group.Topics |> Option.map (List.collect partitions) ]

/// Whether no topic is named twice or without partitions: the client would write these requests in another way.
let private isPlain (groups: (string * TopicPartition list option) list) (request: OffsetFetch.Request) =
    let topics =
        if request.Groups.IsEmpty then
            [ request.Topics |> Option.map (List.map (fun topic -> topic.Name, topic.PartitionIndexes)) ]
        else
            [ for group in request.Groups -> group.Topics |> Option.map (List.map (fun topic -> topic.Name, topic.PartitionIndexes)) ]

    (List.distinctBy fst groups).Length = groups.Length
    && topics
       |> List.choose id
       |> List.forall (fun topics ->
           (List.distinctBy fst topics).Length = topics.Length && topics |> List.forall (fun (_, indexes) -> not indexes.IsEmpty))

let private groups =
    [ replaysWhere
          (fun version _ -> version < OffsetFetch.topicIdsSince)
          OffsetFetch.api
          (function
          // Members of the new protocol identify themselves; an administrator does not.
          | Request.OffsetFetch request when
              isPlain (groupsOf request) request && request.Groups |> List.forall (fun group -> group.MemberId = None)
              ->
              Some request
          | _ -> None)
          id
          (fun brokers request -> brokers |> by _.ListGroupOffsets(groupsOf request, request.RequireStable).Result)
          (fun _ request response -> fetchedIn request response)

      replays
          OffsetDelete.api
          (function
          | Request.OffsetDelete request when request.Topics |> List.exists (fun topic -> not topic.Partitions.IsEmpty) -> Some request
          | _ -> None)
          id
          (fun brokers request ->
              let partitions =
                  [ for topic in request.Topics do
                        for partition in topic.Partitions -> at topic.Name partition.PartitionIndex ]

              brokers |> by _.DeleteGroupOffsets(request.GroupId, partitions).Result)
          (fun _ request response ->
              [ for topic in response.Topics do
                    for found in topic.Partitions -> at topic.Name found.PartitionIndex, result found.Error None () ]
              |> unless
                  response.Error
                  None
                  [ for topic in request.Topics do
                        for partition in topic.Partitions -> at topic.Name partition.PartitionIndex ]) ]

// ---- transactions ----

let private transactions =
    [ replays
          ListTransactions.api
          (function
          | Request.ListTransactions request -> Some request
          | _ -> None)
          id
          (fun brokers request ->
              let filter =
                  { States = request.StateFilters
                    ProducerIds = request.ProducerIdFilters
                    LongerThan = (if request.DurationFilter < 0L then None else Some(ms (int request.DurationFilter)))
                    IdPattern = request.TransactionalIdPattern }

              brokers |> by _.ListTransactions(filter).Result)
          (fun broker _ response -> Ok [ broker, result response.Error None response ])

      replays
          DescribeTransactions.api
          (function
          | Request.DescribeTransactions request when not request.TransactionalIds.IsEmpty -> Some request
          | _ -> None)
          id
          (fun brokers request -> brokers |> by _.DescribeTransactions(request.TransactionalIds).Result)
          (fun _ request response ->
              [ for found in response.Transactions -> found.TransactionalId, result found.Error None found ]
              |> inOrder request.TransactionalIds)

      replays
          DescribeProducers.api
          (function
          | Request.DescribeProducers request when request.Topics |> List.exists (fun topic -> not topic.PartitionIndexes.IsEmpty) ->
              Some request
          | _ -> None)
          id
          (fun brokers request ->
              let partitions =
                  [ for topic in request.Topics do
                        for index in topic.PartitionIndexes -> at topic.Name index ]

              brokers |> by _.DescribeProducers(partitions, 1).Result)
          (fun _ request response ->
              [ for topic in response.Topics do
                    for found in topic.Partitions ->
                        at topic.Name found.PartitionIndex, result found.Error found.ErrorMessage found.ActiveProducers ]
              |> inOrder
                  [ for topic in request.Topics do
                        for index in topic.PartitionIndexes -> at topic.Name index ])

      replays
          WriteTxnMarkers.api
          (function
          | Request.WriteTxnMarkers request when not request.Markers.IsEmpty -> Some request
          | _ -> None)
          id
          (fun brokers request ->
              let hanging =
                  [ for marker in request.Markers do
                        for topic in marker.Topics do
                            for index in topic.PartitionIndexes ->
                                { Partition = at topic.Name index
                                  ProducerId = marker.ProducerId
                                  ProducerEpoch = marker.ProducerEpoch
                                  CoordinatorEpoch = marker.CoordinatorEpoch } ]

              brokers |> by _.AbortTransactions(hanging).Result |> List.map snd)
          (fun _ _ response ->
              [ for marker in response.Markers do
                    for topic in marker.Topics do
                        for found in topic.Partitions -> result found.Error None () ]) ]

// ---- quotas, users and tokens ----

let private entityOf (parts: QuotaEntity list) : ClientQuotaEntity =
    let name (part: QuotaEntity) =
        match part.EntityName with
        | Some name -> QuotaName.Named name
        | None -> QuotaName.Default

    ClientQuotaEntity.OfParts [ for part in parts -> part.EntityType, name part ]

let private filterOf (request: DescribeClientQuotas.Request) : ClientQuotaFilter =
    let part (component': DescribeClientQuotas.Filter) =
        component'.EntityType,
        match component'.MatchType, component'.Match with
        | QuotaMatchType.Exact, Some name -> QuotaMatch.Exactly(QuotaName.Named name)
        | QuotaMatchType.Default, _ -> QuotaMatch.Exactly QuotaName.Default
        | _ -> QuotaMatch.Any

    { Parts = List.map part request.Components; IsStrict = request.Strict }

let private changesOf (request: AlterClientQuotas.Request) : ClientQuotaChange list =
    [ for entry in request.Entries ->
          { Entity = entityOf entry.Entity
            Quotas = [ for operation in entry.Operations -> operation.Key, (if operation.Remove then None else Some operation.Value) ] } ]

let private quotas =
    [ replays
          DescribeClientQuotas.api
          (function
          | Request.DescribeClientQuotas request ->
              // A name has no meaning if any is asked for.
              let plain (part: DescribeClientQuotas.Filter) =
                  if part.MatchType = QuotaMatchType.Specified then { part with Match = None } else part

              Some { request with Components = List.map plain request.Components }
          | _ -> None)
          id
          (fun brokers request -> brokers |> by _.DescribeClientQuotas(filterOf request).Result)
          (fun _ _ response ->
              let quotas (entry: DescribeClientQuotas.Entry) : ClientQuotas =
                  { Entity = entityOf entry.Entity; Values = Map.ofList [ for value in entry.Values -> value.Key, value.Value ] }

              result response.Error response.ErrorMessage (Option.defaultValue [] response.Entries |> List.map quotas))

      replaysWhere
          (fun _ (request: AlterClientQuotas.Request) ->
              // An entity that is named twice is in requests of their own.
              let entities = request.Entries |> List.map (fun entry -> entityOf entry.Entity)
              List.distinct entities = entities)
          AlterClientQuotas.api
          (function
          | Request.AlterClientQuotas request when not request.Entries.IsEmpty ->
              // The value of a quota that is removed has no meaning.
              let plain (operation: AlterClientQuotas.Operation) = if operation.Remove then { operation with Value = 0.0 } else operation

              let entry (entry: AlterClientQuotas.EntryRequest) : AlterClientQuotas.EntryRequest =
                  { entry with Entity = entry.Entity |> List.sortByDescending _.EntityType; Operations = List.map plain entry.Operations }

              Some { request with Entries = List.map entry request.Entries }
          | _ -> None)
          id
          (fun brokers request -> brokers |> by _.AlterClientQuotas(changesOf request, request.ValidateOnly).Result)
          (fun _ request response ->
              [ for entry in response.Entries -> entityOf entry.Entity, result entry.Error entry.ErrorMessage () ]
              |> inOrder [ for entry in request.Entries -> entityOf entry.Entity ]) ]

let private scramChanges (request: AlterUserScramCredentials.Request) : ScramChange list =
    [ for deletion in request.Deletions -> ScramChange.Delete(deletion.Name, deletion.Mechanism)
      for upsertion in request.Upsertions ->
          ScramChange.Upsert(
              upsertion.Name,
              { Mechanism = upsertion.Mechanism
                Iterations = upsertion.Iterations
                Salt = upsertion.Salt
                SaltedPassword = upsertion.SaltedPassword }
          ) ]

let private described (response: DescribeUserScramCredentials.Response) =
    [ for found in response.Results -> found.User, result found.Error found.ErrorMessage found.Credentials ]

let private users =
    [ replays
          DescribeUserScramCredentials.api
          (function
          | Request.DescribeUserScramCredentials request when request.Users |> Option.exists (List.isEmpty >> not) -> Some request
          | _ -> None)
          id
          (fun brokers request -> brokers |> by _.DescribeScramUsers(request.Users |> Option.defaultValue [] |> List.map _.Name).Result)
          (fun _ request response ->
              described response
              |> unless response.Error response.ErrorMessage (request.Users |> Option.defaultValue [] |> List.map _.Name))

      testList
          "all"
          [ replays
                DescribeUserScramCredentials.api
                (function
                | Request.DescribeUserScramCredentials request when request.Users.IsNone -> Some request
                | _ -> None)
                id
                (fun brokers _ -> brokers |> by _.ListScramUsers().Result)
                (fun _ _ response -> result response.Error response.ErrorMessage (described response)) ]

      replays
          AlterUserScramCredentials.api
          (function
          | Request.AlterUserScramCredentials request when not (request.Deletions.IsEmpty && request.Upsertions.IsEmpty) -> Some request
          | _ -> None)
          id
          (fun brokers request -> brokers |> by _.AlterScramUsers(scramChanges request).Result)
          (fun _ request response ->
              [ for found in response.Results -> found.User, result found.Error found.ErrorMessage () ]
              |> inOrder [ for change in scramChanges request -> change.User ]) ]

let private time (milliseconds: int64) = DateTimeOffset.FromUnixTimeMilliseconds(max 0L milliseconds)
let private period (milliseconds: int64) = if milliseconds < 0L then None else Some(TimeSpan.FromMilliseconds(float milliseconds))

let private requester kind name : DelegationTokenPrincipal option =
    if name = "" then None else Some { PrincipalType = kind; PrincipalName = name }

let private tokens =
    [ replays
          CreateDelegationToken.api
          (function
          | Request.CreateDelegationToken request -> Some request
          | _ -> None)
          id
          (fun brokers request ->
              let owner =
                  match request.OwnerPrincipalType, request.OwnerPrincipalName with
                  | Some kind, Some name -> requester kind name
                  | _ -> None

              let token = { Owner = owner; Renewers = request.Renewers; MaxLifetime = period request.MaxLifetimeMs }
              brokers |> by _.CreateDelegationToken(token).Result)
          (fun _ request response ->
              result
                  response.Error
                  None
                  { Id = response.TokenId
                    Hmac = response.Hmac
                    Owner = { PrincipalType = response.PrincipalType; PrincipalName = response.PrincipalName }
                    Requester = requester response.TokenRequesterPrincipalType response.TokenRequesterPrincipalName
                    Renewers = request.Renewers
                    Issued = time response.IssueTimestampMs
                    Expires = time response.ExpiryTimestampMs
                    MaxExpires = time response.MaxTimestampMs })

      replays
          RenewDelegationToken.api
          (function
          | Request.RenewDelegationToken request -> Some request
          | _ -> None)
          id
          (fun brokers request -> brokers |> by _.RenewDelegationToken(request.Hmac, ?period = period request.RenewPeriodMs).Result)
          (fun _ _ response -> result response.Error None (time response.ExpiryTimestampMs))

      replays
          ExpireDelegationToken.api
          (function
          | Request.ExpireDelegationToken request -> Some request
          | _ -> None)
          id
          (fun brokers request -> brokers |> by _.ExpireDelegationToken(request.Hmac, ?period = period request.ExpiryTimePeriodMs).Result)
          (fun _ _ response -> result response.Error None (time response.ExpiryTimestampMs))

      replays
          DescribeDelegationToken.api
          (function
          | Request.DescribeDelegationToken request -> Some request
          | _ -> None)
          id
          (fun brokers request -> brokers |> by _.DescribeDelegationTokens(request.Owners).Result)
          (fun _ _ response ->
              result
                  response.Error
                  None
                  [ for token in response.Tokens ->
                        { Id = token.TokenId
                          Hmac = token.Hmac
                          Owner = { PrincipalType = token.PrincipalType; PrincipalName = token.PrincipalName }
                          Requester = requester token.TokenRequesterPrincipalType token.TokenRequesterPrincipalName
                          Renewers = token.Renewers
                          Issued = time token.IssueTimestamp
                          Expires = time token.ExpiryTimestamp
                          MaxExpires = time token.MaxTimestamp } ]) ]

// ---- the cluster ----

let private cluster =
    [ // Version 0 says only whether the level may be lowered.
      replaysWhere
          (fun version _ -> version >= UpdateFeatures.directionsSince)
          UpdateFeatures.api
          (function
          | Request.UpdateFeatures request when not request.FeatureUpdates.IsEmpty -> Some request
          | _ -> None)
          id
          (fun brokers request ->
              let levels =
                  [ for update in request.FeatureUpdates ->
                        { Feature = update.Feature; Level = update.MaxVersionLevel; Direction = update.UpgradeType } ]

              brokers |> by _.UpdateFeatures(levels, ms request.TimeoutMs, request.ValidateOnly).Result)
          (fun _ request response ->
              let names = request.FeatureUpdates |> List.map _.Feature

              // The recorded updates that were done had one feature each, and results if the version has them.
              let all = names |> List.map (fun name -> name, Ok())
              let found = [ for one in response.Results -> one.Feature, result one.Error one.ErrorMessage () ]
              (if found.IsEmpty then all else found) |> unless response.Error response.ErrorMessage names)

      replays
          DescribeQuorum.api
          (function
          | Request.DescribeQuorum request when not request.Topics.IsEmpty -> Some request
          | _ -> None)
          id
          (fun brokers _ -> brokers |> by _.DescribeQuorum().Result)
          (fun _ _ response ->
              let partition = response.Topics.Head.Partitions.Head

              result
                  (if response.Error.IsError then response.Error else partition.Error)
                  (if response.Error.IsError then response.ErrorMessage else partition.ErrorMessage)
                  { LeaderId = partition.LeaderId
                    LeaderEpoch = partition.LeaderEpoch
                    HighWatermark = partition.HighWatermark
                    Voters = partition.CurrentVoters
                    Observers = partition.Observers
                    Nodes = response.Nodes })

      replays
          RemoveRaftVoter.api
          (function
          | Request.RemoveRaftVoter request -> Some request
          | _ -> None)
          id
          (fun brokers request ->
              let voter = { Id = request.VoterId; DirectoryId = request.VoterDirectoryId }
              brokers |> by _.RemoveQuorumVoter(voter, ?clusterId = request.ClusterId).Result)
          (fun _ _ response -> result response.Error response.ErrorMessage ())

      replays
          UnregisterBroker.api
          (function
          | Request.UnregisterBroker request -> Some request
          | _ -> None)
          id
          (fun brokers request -> brokers |> by _.UnregisterBroker(request.BrokerId).Result)
          (fun _ _ response -> result response.Error response.ErrorMessage ())

      // These are of version 0, which has no types.
      replays
          ListConfigResources.api
          (function
          | Request.ListConfigResources request -> Some request
          | _ -> None)
          id
          (fun brokers _ -> brokers |> by _.ListConfigResources([ ConfigResourceType.ClientMetrics ]).Result)
          (fun _ _ response ->
              result response.Error None [ for found in response.Resources -> { Type = found.ResourceType; Name = found.ResourceName } ]) ]

[<Tests>]
let tests =
    testList
        "administration, recorded"
        [ testList "replicas" replicas
          testList "groups" groups
          testList "transactions" transactions
          testList "quotas" quotas
          testList "users" users
          testList "tokens" tokens
          testList "cluster" cluster ]
