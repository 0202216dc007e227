namespace LibKafka.Topics

open System
open LibKafka
open LibKafka.Client

/// The result of committing the offset of one partition.
[<RequireQualifiedAccess>]
type CommitOutcome =
    /// The group has the offset.
    | Stored
    /// The coordinator has refused it. With ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID or STALE_MEMBER_EPOCH, the member no longer has the
    /// partition.
    | Refused of ErrorCode
    /// The member does not have the partition, or no longer has it. Nothing was sent.
    | NotAssigned
    /// There is no response: the group may or may not have the offset.
    | Unknown of ClientFault

    /// A one-line description.
    override this.ToString() =
        match this with
        | Stored -> "stored"
        | Refused code -> "refused: " + code.Explain null
        | NotAssigned -> "not assigned"
        | Unknown fault -> "unknown: " + fault.ToString()

/// The commit of one partition.
type PartitionCommit =
    { Partition: TopicPartition
      Offset: CommittedOffset
      Outcome: CommitOutcome }

    /// A one-line description.
    override this.ToString() = this.Partition.ToString() + " at " + this.Offset.ToString() + ": " + this.Outcome.ToString()

/// The result of a commit. It has an entry for each partition that was to be committed: none if nothing was handled since the last commit.
type GroupCommit =
    { Partitions: PartitionCommit list }

    /// Whether all offsets are stored.
    member this.IsStored = this.Partitions |> List.forall (fun one -> one.Outcome = CommitOutcome.Stored)

    /// A one-line description.
    override this.ToString() =
        if this.Partitions.IsEmpty then
            "nothing to commit"
        else
            "committed " + String.Join("; ", this.Partitions)

/// What a member of a group gets from `GroupConsumer.Poll`.
[<RequireQualifiedAccess; NoComparison>]
type GroupEvent =
    /// Something about a partition that the member reads, such as records.
    | Read of ConsumerEvent
    /// The member has got partitions, and reads them from now on. If the first assignment after it has joined has no partitions, it is reported too:
    /// the list is empty, and the member waits. Other members have the partitions, or the topics do not exist yet.
    | Assigned of AssignedPartition list
    /// The member must give up partitions, and gets no more records of them. Commit now what has been handled: they are given up in the
    /// next `Poll`. With `GroupSettings.CommitInterval`, that `Poll` commits first.
    | Revoking of TopicPartition list
    /// The member has lost partitions, which others may read already. Nothing can be committed for them any more.
    | Lost of TopicPartition list * LossReason
    /// The result of a commit that `Poll` has made: at the interval, before partitions were given up, or after `BeginCommit`.
    | Committed of GroupCommit
    /// A call to the coordinator has failed, for a reason that may go away by itself. The member calls again, and reports each failed attempt.
    | CallFailed of GroupCallFailure
    /// Something is wrong. If the failure is fatal, the member has left the group, and every further `Poll` returns the same.
    | Failed of GroupFailure

    /// A one-line description.
    override this.ToString() =
        match this with
        | Read event -> event.ToString()
        | Assigned [] -> "assigned: no partitions yet; other members have them, or the topics do not exist"
        | Assigned partitions -> "assigned: " + String.Join("; ", partitions)
        | Revoking partitions -> "revoking: " + String.Join(", ", partitions)
        | Lost(partitions, reason) -> "lost: " + String.Join(", ", partitions) + ": " + reason.ToString()
        | Committed commit -> commit.ToString()
        | CallFailed failure -> failure.ToString()
        | Failed failure -> failure.ToString()

/// How a member has left its group.
[<RequireQualifiedAccess>]
type GroupLeave =
    /// The coordinator has responded. The code is `None` if it has removed the member.
    | Told of ErrorCode
    /// The coordinator could not be reached. It removes the member after the session time-out.
    | NotTold of ClientFault
    /// It is a static member that may come back, or it was not in the group. Also a member whose first rebalance is in progress, if its brokers are
    /// older than Kafka 2.2: it gets its id only afterwards (KIP-394). The coordinator removes it after the session time-out.
    | Silent

    /// A one-line description.
    override this.ToString() =
        match this with
        | Told code when code.IsError -> "left: " + code.ToString()
        | Told _ -> "left"
        | NotTold fault -> "left, but the coordinator could not be reached: " + fault.ToString()
        | Silent -> "closed without leaving"

/// How a consumer was closed.
type GroupClosed =
    {
        /// The last commit; none if `GroupSettings.CommitInterval` is none.
        Commit: GroupCommit option
        Leave: GroupLeave
    }

    /// A one-line description.
    override this.ToString() =
        (match this.Commit with
         | Some commit -> commit.ToString() + "; "
         | None -> "")
        + this.Leave.ToString()
