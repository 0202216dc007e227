/// Members of groups through the façade.
module LibKafka.Integration.FacadeGroupConsumerTests

open System
open System.Collections.Generic
open System.Diagnostics
open System.Threading
open Expecto
open LibKafka
open LibKafka.Protocol
open LibKafka.Wire
open LibKafka.Integration.FacadeSupport

let private soon = TimeSpan.FromMilliseconds 100.0
let private at (partition: int) = TopicPartition(topic, partition)

/// Appends records with these numbers to a partition.
let private write (options: KafkaClientOptions) (partition: int) (first: int) (count: int) =
    use producer = new PartitionProducer(options, at partition)
    let batch = batchOf [ for number in first .. first + count - 1 -> plain $"{partition}/{number}" ]
    RetryPolicy.Produce.Run(fun call -> producer.Produce(batch, call)).ThrowIfError() |> ignore

/// A new group, whose members read from the beginning and commit on request, unless it says otherwise.
let private groupWith (commitInterval: Nullable<TimeSpan>) (reset: Nullable<OffsetSpec>) : GroupConsumerOptions =
    GroupConsumerOptions(
        Guid.NewGuid().ToString "N",
        [ topic ],
        SessionTimeout = 3.0 * second,
        HeartbeatInterval = 2.0 * soon,
        RebalanceTimeout = 20.0 * second,
        CommitInterval = commitInterval,
        Reset = reset
    )

let private newGroup () = groupWith (Nullable()) (Nullable OffsetSpec.Earliest)
let private reading = TopicConsumerOptions(Fetching = FetcherOptions(MaxWait = soon))
let private memberOf (options: KafkaClientOptions) (group: GroupConsumerOptions) = new GroupConsumer(options, group, reading)

/// Polls until there is an event of a type, and returns it with all before it.
let private until<'Event when 'Event :> GroupEvent> (consumer: GroupConsumer) : 'Event * GroupEvent list =
    let clock = Stopwatch.StartNew()

    let rec poll (before: GroupEvent list) =
        if clock.Elapsed > 60.0 * second then
            failtestf "no %s in time, but %O" typeof<'Event>.Name before

        match consumer.Poll soon with
        | null -> poll before
        | :? 'Event as event -> event, List.rev before
        | :? GroupFailed as failed -> failtestf "%O" failed
        | other -> poll (other :: before)

    poll []

let private read (consumer: GroupConsumer) (count: int) : string list =
    let values = List<string>()

    while values.Count < count do
        for record in (until<RecordsFetched> consumer |> fst).Records do
            values.Add(Text.Encoding.UTF8.GetString record.Value)

    List.ofSeq values |> List.sort

let private statusOf (commit: GroupCommit) =
    [ for one in commit.Partitions |> Seq.sortBy _.Partition.Partition -> one.Partition, one.Offset.Offset, one.Status ]

let private numbersOf (partitions: TopicPartition seq) : int list = partitions |> Seq.map _.Partition |> Seq.sort |> List.ofSeq

let private membership =
    testList
        "a member"
        [ testCase "is assigned partitions, reads them, commits, leaves, and the next one continues there" (fun () ->
              onCluster (fun _ options ->
                  for partition in 0..1 do
                      write options partition 0 5

                  let group = newGroup ()
                  use first = memberOf options group
                  let assigned, _ = until<PartitionsAssigned> first
                  Expect.equal (numbersOf [ for one in assigned.Partitions -> one.Partition ]) [ 0; 1 ] "both"
                  Expect.all assigned.Partitions (fun one -> not (one.Committed.HasValue || one.Position.HasValue)) "nothing is committed"
                  Expect.equal (numbersOf first.Partitions) [ 0; 1 ] "what it has"
                  Expect.equal
                      (read first 10)
                      (List.sort
                          [ for partition in 0..1 do
                                for number in 0..4 -> $"{partition}/{number}" ])
                      "records"
                  let commit = first.Commit()
                  Expect.isTrue commit.IsStored "stored"
                  Expect.equal (statusOf commit) [ at 0, 5L, CommitStatus.Stored; at 1, 5L, CommitStatus.Stored ] "the commit"
                  Expect.isTrue (obj.ReferenceEquals(commit, commit.ThrowIfError())) "nothing is wrong"
                  Expect.isEmpty (first.Commit()).Partitions "nothing since"
                  Expect.notEqual first.Membership GroupMembership.None "its membership"
                  let closed = first.Close()
                  Expect.equal (closed.Status, closed.Fault, closed.Commit) (GroupLeaveStatus.Left, null, null) "it left"
                  Expect.equal (closed.ToString()) "left" "the text"
                  Expect.throwsT<ObjectDisposedException> (fun () -> first.Poll soon |> ignore) "closed"
                  write options 0 5 1
                  use second = memberOf options group
                  let assigned, _ = until<PartitionsAssigned> second
                  let committed = assigned.Partitions |> Seq.find (fun one -> one.Partition = at 0)
                  Expect.equal committed.Committed.Value.Offset 5L "the committed offset"
                  Expect.equal committed.Position.Value.Offset 5L "is where it starts"
                  Expect.equal (read second 1) [ "0/5" ] "only what is new"
                  Expect.equal (there (second.Status(at 0))).HighWatermark (Nullable 6L) "the status"))

          testCase "gives up partitions to another one, after it was told" (fun () ->
              onCluster (fun _ options ->
                  let group = newGroup ()
                  use first = memberOf options group
                  until<PartitionsAssigned> first |> ignore
                  use stop = new CancellationTokenSource()
                  let mutable failure: exn option = None
                  let held = List<TopicPartition>()

                  let join () =
                      try
                          use second = memberOf options group

                          while not stop.IsCancellationRequested do
                              match second.Poll(soon, stop.Token) with
                              | :? PartitionsAssigned as assigned ->
                                  lock held (fun () ->
                                      held.AddRange(Seq.map (fun (one: AssignedPartition) -> one.Partition) assigned.Partitions))
                              | :? GroupFailed as failed -> failtestf "%O" failed
                              | _ -> ()
                      with error ->
                          failure <- Some error

                  let thread = Thread(join, IsBackground = true)
                  thread.Start()
                  let revoking, _ = until<PartitionsRevoking> first
                  Expect.hasLength revoking.Partitions 1 "one of two"
                  Expect.stringContains (revoking.ToString()) (revoking.Partitions[0].ToString()) "the text"
                  let clock = Stopwatch.StartNew()

                  while lock held (fun () -> held.Count) = 0 && failure.IsNone && clock.Elapsed < 60.0 * second do
                      first.Poll soon |> ignore

                  stop.Cancel()
                  thread.Join()
                  failure |> Option.iter (fun error -> failtestf "%O" error)
                  Expect.equal (List.ofSeq held) (List.ofSeq revoking.Partitions) "the other one has it"))

          testCase "commits at an interval, on request, and positions of the caller's" (fun () ->
              onCluster (fun _ options ->
                  write options 0 0 5
                  use consumer = memberOf options (groupWith (Nullable soon) (Nullable OffsetSpec.Earliest))
                  read consumer 5 |> ignore
                  let committed, _ = until<OffsetsCommitted> consumer
                  Expect.contains (statusOf committed.Commit) (at 0, 5L, CommitStatus.Stored) "at the interval"
                  let offsets = dict [ at 0, CommittedOffset(3L, Metadata = "note") ]
                  Expect.equal (statusOf (consumer.Commit(offsets).ThrowIfError())) [ at 0, 3L, CommitStatus.Stored ] "of the caller's"
                  let foreign = consumer.Commit(dict [ TopicPartition(topic, 7), CommittedOffset 1L ])
                  Expect.equal (statusOf foreign) [ at 7, 1L, CommitStatus.NotAssigned ] "not its own"
                  Expect.isFalse foreign.IsStored "not stored"
                  let error = thrown "not assigned" (fun () -> foreign.ThrowIfError() |> ignore)
                  Expect.equal error.Kind KafkaFaultKind.NotAssigned "the kind"
                  Expect.stringContains error.Message $"{topic}-7" "which"
                  consumer.BeginCommit()
                  let closed = consumer.Close()
                  Expect.equal closed.Status GroupLeaveStatus.Left "it left"
                  Expect.isNotNull closed.Commit "it committed"))

          testCase "seeks, pauses, resumes and keeps" (fun () ->
              onCluster (fun _ options ->
                  write options 0 0 3
                  use consumer = memberOf options (newGroup ())
                  read consumer 3 |> ignore
                  consumer.Seek(at 0, FetchPosition 2L)
                  Expect.equal (read consumer 1) [ "0/2" ] "from the position"
                  consumer.Seek(at 0, OffsetSpec.Earliest)
                  consumer.Pause(at 0)
                  Expect.isTrue (there (consumer.Status(at 0))).IsPaused "paused"
                  Expect.isNull (consumer.Poll(5.0 * soon)) "nothing"
                  consumer.Resume(at 0)
                  let fetched, _ = until<RecordsFetched> consumer
                  consumer.Keep(at 0)
                  Expect.isNull (consumer.Poll(3.0 * soon)) "it is kept"
                  Expect.contains (statusOf (consumer.Commit())) (at 0, 0L, CommitStatus.Stored) "and does not count as handled"
                  consumer.Handled(at 0)
                  Expect.contains (statusOf (consumer.Commit())) (at 0, fetched.Next.Offset, CommitStatus.Stored) "handled"
                  Expect.throwsT<ArgumentException> (fun () -> consumer.Seek(at 9, FetchPosition 0L)) "not its own"))

          testCase "without a committed offset waits for a position, if the options have none" (fun () ->
              onCluster (fun _ options ->
                  write options 0 0 3
                  use consumer = memberOf options (groupWith (Nullable()) (Nullable()))
                  let clock = Stopwatch.StartNew()

                  let rec failed () =
                      match consumer.Poll soon with
                      | :? GroupFailed as failed -> failed
                      | _ when clock.Elapsed > 60.0 * second -> failtest "no failure in time"
                      | _ -> failed ()

                  let event = failed ()
                  Expect.equal (event.Failure.Kind, event.IsFatal) (GroupFailureKind.NoOffset, false) "the failure"
                  Expect.isTrue event.Failure.Partition.HasValue "the partition"
                  Expect.equal (event.Failure.ToException()).Kind KafkaFaultKind.NoCommittedOffset "as an exception"
                  consumer.Seek(at 0, FetchPosition 1L)

                  let rec records () =
                      match consumer.Poll soon with
                      | :? RecordsFetched as fetched -> fetched
                      | _ when clock.Elapsed > 60.0 * second -> failtest "no records in time"
                      | _ -> records ()

                  Expect.equal (records ()).Result.Position.Offset 1L "from the position"))

          testCase "reports each call to its coordinator that has failed" (fun () ->
              Replay.refusingMembers ErrorCode.CoordinatorLoadInProgress (fun address ->
                  use consumer = memberOf (KafkaClientOptions address) (newGroup ())

                  for attempt in 1..3 do
                      let failed, _ = until<GroupCallFailed> consumer
                      Expect.equal (failed.Api, failed.Attempt) (ApiKey.JoinGroup, attempt) "the call and the attempt"
                      Expect.equal failed.Fault.ErrorCode ErrorCode.CoordinatorLoadInProgress "the code"
                      Expect.isTrue failed.Fault.IsTransient "it may go away"
                      Expect.isGreaterThan failed.Silence TimeSpan.Zero "the time since the last success"
                      Expect.stringStarts (failed.ToString()) "JoinGroup has failed" "the text"

                  Expect.equal (consumer.Close()).Status GroupLeaveStatus.Silent "it was not in the group"))

          testCase "that the coordinator refuses has failed for good" (fun () ->
              Replay.refusingMembers ErrorCode.GroupAuthorizationFailed (fun address ->
                  use consumer = memberOf (KafkaClientOptions address) (newGroup ())
                  let clock = Stopwatch.StartNew()

                  let rec failed () =
                      match consumer.Poll soon with
                      | :? GroupFailed as failed -> failed
                      | _ when clock.Elapsed > 60.0 * second -> failtest "no failure in time"
                      | _ -> failed ()

                  let event = failed ()
                  Expect.isTrue event.IsFatal "for good"
                  Expect.equal
                      (event.Failure.Kind, event.Failure.Error)
                      (GroupFailureKind.Refused, ErrorCode.GroupAuthorizationFailed)
                      "why"
                  let error = event.Failure.ToException()
                  Expect.equal
                      (error.Kind, error.ErrorCode)
                      (KafkaFaultKind.BrokerError, ErrorCode.GroupAuthorizationFailed)
                      "as an exception"
                  Expect.stringStarts error.Message "JoinGroup: GROUP_AUTHORIZATION_FAILED" "its message"
                  Expect.isNotNull (consumer.Poll soon) "the same again"
                  Expect.equal (consumer.Close()).Status GroupLeaveStatus.Silent "it was not in the group"))

          testCase "that the coordinator has removed has lost its partitions" (fun () ->
              onCluster (fun cluster options ->
                  use consumer = memberOf options (newGroup ())
                  until<PartitionsAssigned> consumer |> ignore
                  cluster.PushErrors(ApiKey.Heartbeat.Code, [ ErrorCode.UnknownMemberId.Code ])
                  let lost, _ = until<PartitionsLost> consumer
                  Expect.equal (lost.Reason, lost.Error, lost.Failure) (LossReason.Removed, ErrorCode.UnknownMemberId, null) "why"
                  Expect.equal (numbersOf lost.Partitions) [ 0; 1 ] "both"
                  until<PartitionsAssigned> consumer |> ignore))

          testCase "changes its subscription" (fun () ->
              onCluster (fun cluster options ->
                  cluster.CreateTopic("other", 1, 1)
                  use consumer = memberOf options (newGroup ())
                  until<PartitionsAssigned> consumer |> ignore
                  consumer.Subscribe(TopicSubscription.To [ "other" ])

                  let rec assigned () =
                      let event, _ = until<PartitionsAssigned> consumer
                      if event.Partitions |> Seq.exists (fun one -> one.Partition.Topic = "other") then
                          event
                      else
                          assigned ()

                  Expect.equal [ for one in (assigned ()).Partitions -> one.Partition ] [ TopicPartition("other", 0) ] "the other topic"
                  Expect.throwsT<ArgumentException> (fun () -> consumer.Subscribe(TopicSubscription.To [||])) "no topics"
                  Expect.throwsT<ArgumentException> (fun () -> consumer.Subscribe(TopicSubscription.Matching "(")) "no pattern")) ]

let private options =
    testList
        "options"
        [ testCase "have the defaults of the core" (fun () ->
              let options, core = GroupConsumerOptions("g", [ "a"; "b" ]), Topics.GroupSettings.make "g" [ "a"; "b" ]
              Expect.equal (options.GroupId, options.Subscription.ToString()) ("g", core.Subscription.ToString()) "the group"
              Expect.equal options.SessionTimeout core.SessionTimeout "session"
              Expect.equal options.HeartbeatInterval core.HeartbeatInterval "heartbeats"
              Expect.equal options.RebalanceTimeout core.RebalanceTimeout "rebalance"
              Expect.equal options.MetadataInterval core.MetadataInterval "metadata"
              Expect.equal (Option.ofNullable options.CommitInterval) core.CommitInterval "commits"
              Expect.equal (Option.ofNullable options.Reset) core.Reset "reset"
              Expect.equal (options.HeartbeatThread, options.RequireStable, options.StaticLeaves) (false, false, false) "the rest"
              Expect.isTrue (isNull options.InstanceId && isNull options.RackId) "a dynamic member"
              Expect.equal (options.Protocol.ToString()) "classic" "the protocol")

          testCase "are refused if they cannot be used, by the name of the parameter" (fun () ->
              let client = KafkaClientOptions "localhost:1"

              for bad, part in
                  [ GroupConsumerOptions("", [ "t" ]), "GroupId"
                    GroupConsumerOptions("g", [||]), "Subscription"
                    GroupConsumerOptions("g", TopicSubscription.Matching "("), "Subscription"
                    GroupConsumerOptions("g", [ "t" ], Protocol = RebalanceProtocol.Classic []), "Protocol"
                    GroupConsumerOptions("g", [ "t" ], HeartbeatInterval = TimeSpan.FromMinutes 1.0), "HeartbeatInterval" ] do
                  Expect.throwsC (fun () -> new GroupConsumer(client, bad) |> ignore) (fun error ->
                      match error with
                      | :? ArgumentException as error ->
                          Expect.equal error.ParamName "groupOptions" "the parameter"
                          Expect.stringContains error.Message part "the option"
                      | other -> failtestf "%O" other)

              Expect.throwsT<ArgumentOutOfRangeException>
                  (fun () -> GroupConsumerOptions("g", [ "t" ], SessionTimeout = TimeSpan.Zero) |> ignore)
                  "no time")

          testCase "name the protocol" (fun () ->
              Expect.equal (RebalanceProtocol.Consumer("uniform").ToString()) "consumer" "the new one"
              Expect.equal (RebalanceProtocol.Classic([ PartitionAssignor.Range ]).ToString()) "classic" "the old one") ]

[<Tests>]
let tests = testList "façade, group consumer" [ membership; options ]
