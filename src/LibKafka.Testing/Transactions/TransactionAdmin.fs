namespace LibKafka.Testing

open System.Text.RegularExpressions
open LibKafka.Protocol

/// DescribeTransactions, ListTransactions and DescribeProducers (KIP-664).
[<RequireQualifiedAccess>]
module internal TransactionAdmin =

    let private stateOf (transaction: Transaction) : TransactionState =
        match transaction.Stage with
        | TransactionStage.Empty -> TransactionState.Empty
        | TransactionStage.Ongoing -> TransactionState.Ongoing
        | TransactionStage.Ending(true, _) -> TransactionState.PrepareCommit
        | TransactionStage.Ending(false, _) -> TransactionState.PrepareAbort
        | TransactionStage.Ended true -> TransactionState.CompleteCommit
        | TransactionStage.Ended false -> TransactionState.CompleteAbort

    let private isDescribable (call: Call) (transactionalId: string) (state: State) =
        Security.isAllowed call AclOperation.Describe AclResourceType.TransactionalId transactionalId state

    let private topicsOf (transaction: Transaction) : DescribeTransactions.Topic list =
        [ for topic, places in transaction.Partitions |> List.ofSeq |> List.groupBy fst ->
              { Topic = topic; Partitions = places |> List.map snd } ]

    let private describe (call: Call) (state: State) (transactionalId: string) : DescribeTransactions.Transaction =
        let refused code : DescribeTransactions.Transaction =
            { Error = code
              TransactionalId = transactionalId
              State = TransactionState ""
              TimeoutMs = 0
              StartTimeMs = 0L
              ProducerId = 0L
              ProducerEpoch = 0s
              Topics = [] }

        let code = Coordinators.check call CoordinatorType.Transaction transactionalId state

        match TransactionCoordinator.tryFind transactionalId state with
        | _ when not (isDescribable call transactionalId state) -> refused ErrorCode.TransactionalIdAuthorizationFailed
        | _ when code.IsError -> refused code
        | None -> refused ErrorCode.TransactionalIdNotFound
        | Some transaction ->
            { Error = ErrorCode.None
              TransactionalId = transactionalId
              State = stateOf transaction
              TimeoutMs = transaction.TimeoutMs
              StartTimeMs = transaction.Started
              ProducerId = transaction.ProducerId
              ProducerEpoch = transaction.Epoch
              Topics = topicsOf transaction }

    let private known =
        [ TransactionState.Empty
          TransactionState.Ongoing
          TransactionState.PrepareCommit
          TransactionState.PrepareAbort
          TransactionState.CompleteCommit
          TransactionState.CompleteAbort
          TransactionState.Dead
          TransactionState.PrepareEpochFence ]

    /// The test for a transactional id, if the pattern is valid.
    let private matching (pattern: string option) : Result<string -> bool, ErrorCode> =
        match pattern with
        | None
        | Some "" -> Ok(fun _ -> true)
        | Some pattern ->
            try
                let regex = Regex("^(?:" + pattern + ")$", RegexOptions.CultureInvariant ||| RegexOptions.NonBacktracking)
                Ok regex.IsMatch
            with
            | :? System.ArgumentException
            | :? System.NotSupportedException -> Error ErrorCode.InvalidRegularExpression

    let private list (call: Call) (request: ListTransactions.Request) (state: State) : Response =
        let unknown = request.StateFilters |> List.filter (fun asked -> not (List.contains asked known))
        let filters = request.StateFilters |> List.except unknown
        let reply code transactions =
            Response.ListTransactions { ThrottleTimeMs = 0; Error = code; UnknownStateFilters = unknown; Transactions = transactions }

        let isAsked (isNamed: string -> bool) (id: string) (transaction: Transaction) =
            (request.StateFilters.IsEmpty || List.contains (stateOf transaction) filters)
            && (request.ProducerIdFilters.IsEmpty || List.contains transaction.ProducerId request.ProducerIdFilters)
            && (request.DurationFilter < 0L || call.Now - transaction.Started > request.DurationFilter)
            && isNamed id
            && isDescribable call id state
            && not (Coordinators.check call CoordinatorType.Transaction id state).IsError

        match matching request.TransactionalIdPattern with
        | Error code -> reply code []
        | Ok isNamed ->
            reply
                ErrorCode.None
                [ for id, transaction in Map.toSeq state.Transactions.ById do
                      if isAsked isNamed id transaction then
                          { TransactionalId = id; ProducerId = transaction.ProducerId; State = stateOf transaction } ]

    let private activeProducers (log: Log) : DescribeProducers.Producer list =
        [ for id, producer in Map.toSeq log.Producers ->
              { ProducerId = id
                ProducerEpoch = int32 producer.Epoch
                LastSequence =
                  (match producer.Recent with
                   | last :: _ -> last.LastSequence
                   | [] -> -1)
                LastTimestamp = producer.LastTimestamp
                CoordinatorEpoch = producer.CoordinatorEpoch
                CurrentTxnStartOffset = ValueOption.defaultValue -1L producer.OpenSince } ]

    /// Any replica of a partition knows its producers.
    let private producers (call: Call) (topic: string) (index: int32) (state: State) : DescribeProducers.PartitionResponse =
        let refused code : DescribeProducers.PartitionResponse =
            { PartitionIndex = index; Error = code; ErrorMessage = None; ActiveProducers = [] }

        if not (Security.isAllowed call AclOperation.Read AclResourceType.Topic topic state) then
            refused ErrorCode.TopicAuthorizationFailed
        else
            match Cluster.tryPartition topic index state with
            | None -> refused ErrorCode.UnknownTopicOrPartition
            | Some partition when not (List.contains call.Node partition.Replicas) -> refused ErrorCode.NotLeaderOrFollower
            | Some partition -> { refused ErrorCode.None with ActiveProducers = activeProducers partition.Log }

    let private describeProducers (call: Call) (request: DescribeProducers.Request) (state: State) : Response =
        Response.DescribeProducers
            { ThrottleTimeMs = 0
              Topics =
                [ for topic in request.Topics ->
                      let found = topic.PartitionIndexes |> List.map (fun index -> producers call topic.Name index state)
                      { Name = topic.Name; Partitions = found } ] }

    /// ValueNone for other requests.
    let tryHandle (call: Call) (request: Request) (state: State) : (State * Answer) voption =
        match request with
        | Request.DescribeTransactions request ->
            let found = request.TransactionalIds |> List.map (describe call state)
            ValueSome(state, Reply(Response.DescribeTransactions { ThrottleTimeMs = 0; Transactions = found }))
        | Request.ListTransactions request -> ValueSome(state, Reply(list call request state))
        | Request.DescribeProducers request -> ValueSome(state, Reply(describeProducers call request state))
        | _ -> ValueNone
