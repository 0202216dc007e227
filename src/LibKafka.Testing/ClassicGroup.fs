namespace LibKafka.Testing

open LibKafka.Protocol

/// Groups of the classic protocol, and the listing, description and deletion of all groups: JoinGroup, SyncGroup, Heartbeat, LeaveGroup,
/// DescribeGroups, ListGroups, DeleteGroups.
[<RequireQualifiedAccess>]
module internal ClassicGroup =

    /// ValueNone for other requests.
    let tryHandle (_call: Call) (_request: Request) (_state: State) : (State * Answer) voption = ValueNone

    /// Applies the time-outs that are due.
    let tick (_now: Moment) (state: State) : State = state

    /// When the next time-out is due.
    let nextTick (_state: State) : Moment voption = ValueNone
