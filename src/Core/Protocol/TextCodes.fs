// States and types that Kafka sends as text. Text that is not known here stays itself.
namespace LibKafka

open System

/// The state of a group in ListGroups and the describing APIs.
[<Struct>]
type GroupState =
    // Null instead of the empty string, so that the default value equals the one made of the empty string.
    val private text: string | null
    /// Any text, whether it is known here or not.
    new(name: string) = { text = if name = "" then null else name }
    /// The text on the wire.
    member this.Name =
        match this.text with
        | null -> ""
        | name -> name
    /// Every member has its partitions.
    static member Stable = GroupState "Stable"
    /// The group has no members. It may still have committed offsets.
    static member Empty = GroupState "Empty"
    /// Classic protocol: the coordinator waits for the members to join.
    static member PreparingRebalance = GroupState "PreparingRebalance"
    /// Classic protocol: the coordinator waits for the leader's assignment.
    static member CompletingRebalance = GroupState "CompletingRebalance"
    /// The group does not exist or is being deleted.
    static member Dead = GroupState "Dead"
    /// The coordinator is computing an assignment.
    static member Assigning = GroupState "Assigning"
    /// Members are moving to the new assignment.
    static member Reconciling = GroupState "Reconciling"
    /// A Streams group does not have all its topics yet.
    static member NotReady = GroupState "NotReady"
    override this.ToString() = this.Name
    static member op_Equality(a: GroupState, b: GroupState) = String.Equals(a.Name, b.Name)
    static member op_Inequality(a: GroupState, b: GroupState) = not (String.Equals(a.Name, b.Name))

/// The protocol of a group in ListGroups (KIP-848).
[<Struct>]
type GroupType =
    // Null instead of the empty string, so that the default value equals the one made of the empty string.
    val private text: string | null
    /// Any text, whether it is known here or not.
    new(name: string) = { text = if name = "" then null else name }
    /// The text on the wire.
    member this.Name =
        match this.text with
        | null -> ""
        | name -> name
    /// JoinGroup and SyncGroup.
    static member Classic = GroupType "classic"
    /// The consumer protocol of KIP-848.
    static member Consumer = GroupType "consumer"
    /// A share group (KIP-932).
    static member Share = GroupType "share"
    /// A Streams group (KIP-1071).
    static member Streams = GroupType "streams"
    override this.ToString() = this.Name
    static member op_Equality(a: GroupType, b: GroupType) = String.Equals(a.Name, b.Name)
    static member op_Inequality(a: GroupType, b: GroupType) = not (String.Equals(a.Name, b.Name))

/// The state of a transactional id in ListTransactions and DescribeTransactions (KIP-664).
[<Struct>]
type TransactionState =
    // Null instead of the empty string, so that the default value equals the one made of the empty string.
    val private text: string | null
    /// Any text, whether it is known here or not.
    new(name: string) = { text = if name = "" then null else name }
    /// The text on the wire.
    member this.Name =
        match this.text with
        | null -> ""
        | name -> name
    /// The transactional id has not begun a transaction.
    static member Empty = TransactionState "Empty"
    /// Records may be added.
    static member Ongoing = TransactionState "Ongoing"
    /// The commit markers are being written.
    static member PrepareCommit = TransactionState "PrepareCommit"
    /// The abort markers are being written.
    static member PrepareAbort = TransactionState "PrepareAbort"
    /// Committed.
    static member CompleteCommit = TransactionState "CompleteCommit"
    /// Aborted.
    static member CompleteAbort = TransactionState "CompleteAbort"
    /// The transactional id has expired.
    static member Dead = TransactionState "Dead"
    /// The transaction is being aborted because a newer producer has taken over.
    static member PrepareEpochFence = TransactionState "PrepareEpochFence"
    override this.ToString() = this.Name
    static member op_Equality(a: TransactionState, b: TransactionState) = String.Equals(a.Name, b.Name)
    static member op_Inequality(a: TransactionState, b: TransactionState) = not (String.Equals(a.Name, b.Name))
