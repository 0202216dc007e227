namespace LibKafka.Testing

open LibKafka.Protocol

/// The committed offsets of groups: OffsetCommit, OffsetFetch, OffsetDelete, TxnOffsetCommit.
[<RequireQualifiedAccess>]
module internal GroupOffsets =

    /// ValueNone for other requests.
    let tryHandle (_call: Call) (_request: Request) (_state: State) : (State * Answer) voption = ValueNone

    /// Makes the offsets of a producer's transaction those of the groups, or drops them.
    let endTransaction (_now: Moment) (_producerId: int64) (_commit: bool) (state: State) : State = state
