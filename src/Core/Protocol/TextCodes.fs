// States and types that Kafka sends as text. Text that is not known here stays itself.
namespace LibKafka.Protocol

open System

/// How a group is doing, as ListGroups and the describing APIs put it. Text that is not known here stays itself.
[<Struct>]
type GroupState =
    // Null for empty, so that the value without content equals the default one.
    val private text: string | null
    /// The one of this name, known here or not.
    new(name: string) = { text = if name = "" then null else name }
    /// The text on the wire.
    member this.Name =
        match this.text with
        | null -> ""
        | name -> name
    /// Every member has its partitions.
    static member Stable = GroupState "Stable"
    /// No members; offsets may be left.
    static member Empty = GroupState "Empty"
    /// Classic protocol: waits for the members to join.
    static member PreparingRebalance = GroupState "PreparingRebalance"
    /// Classic protocol: waits for the leader's assignment.
    static member CompletingRebalance = GroupState "CompletingRebalance"
    /// Gone, or about to go.
    static member Dead = GroupState "Dead"
    /// The coordinator works out an assignment.
    static member Assigning = GroupState "Assigning"
    /// Members give up and take over partitions.
    static member Reconciling = GroupState "Reconciling"
    /// A Streams group lacks topics.
    static member NotReady = GroupState "NotReady"
    override this.ToString() = this.Name
    static member op_Equality(a: GroupState, b: GroupState) = String.Equals(a.Name, b.Name)
    static member op_Inequality(a: GroupState, b: GroupState) = not (String.Equals(a.Name, b.Name))

/// Which protocol a group uses, as ListGroups puts it. Text that is not known here stays itself.
[<Struct>]
type GroupType =
    // Null for empty, so that the value without content equals the default one.
    val private text: string | null
    /// The one of this name, known here or not.
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

/// How far a transaction has come, as its coordinator puts it. Text that is not known here stays itself.
[<Struct>]
type TransactionState =
    // Null for empty, so that the value without content equals the default one.
    val private text: string | null
    /// The one of this name, known here or not.
    new(name: string) = { text = if name = "" then null else name }
    /// The text on the wire.
    member this.Name =
        match this.text with
        | null -> ""
        | name -> name
    /// The transactional id has not begun one.
    static member Empty = TransactionState "Empty"
    /// Records may be added.
    static member Ongoing = TransactionState "Ongoing"
    /// To be committed; markers are being written.
    static member PrepareCommit = TransactionState "PrepareCommit"
    /// To be aborted; markers are being written.
    static member PrepareAbort = TransactionState "PrepareAbort"
    /// Committed.
    static member CompleteCommit = TransactionState "CompleteCommit"
    /// Aborted.
    static member CompleteAbort = TransactionState "CompleteAbort"
    /// The transactional id has expired.
    static member Dead = TransactionState "Dead"
    /// To be aborted, as a newer producer has taken over.
    static member PrepareEpochFence = TransactionState "PrepareEpochFence"
    override this.ToString() = this.Name
    static member op_Equality(a: TransactionState, b: TransactionState) = String.Equals(a.Name, b.Name)
    static member op_Inequality(a: TransactionState, b: TransactionState) = not (String.Equals(a.Name, b.Name))
