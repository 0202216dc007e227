namespace LibKafka.Testing

open LibKafka.Protocol

/// The committed offsets of groups: OffsetCommit, OffsetFetch, OffsetDelete, TxnOffsetCommit.
[<RequireQualifiedAccess>]
module internal GroupOffsets =

    /// ValueNone for other requests.
    let tryHandle (_call: Call) (_request: Request) (_state: State) : (State * Answer) voption = ValueNone

    /// Makes the offsets of a producer's transaction those of the groups, or drops them.
    let endTransaction (_now: Moment) (_producerId: int64) (_commit: bool) (state: State) : State = state

    /// Commits offsets as part of a transaction that has admitted them. They become the groups' offsets in `endTransaction`.
    let commitInTransaction (_call: Call) (request: TxnOffsetCommit.Request) (state: State) : State * TxnOffsetCommit.Response =
        let topics: TxnOffsetCommit.TopicResponse list =
            [ for topic in request.Topics ->
                  { Name = topic.Name
                    TopicId = topic.TopicId
                    Partitions =
                      [ for partition in topic.Partitions -> { PartitionIndex = partition.PartitionIndex; Error = ErrorCode.None } ] } ]

        state, { ThrottleTimeMs = 0; Topics = topics }
