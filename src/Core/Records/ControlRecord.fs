namespace LibKafka.Records

open System
open System.Buffers.Binary
open LibKafka.Wire

/// The type of a control record. Source: Kafka documentation, section "Control Batches"; KIP-98, KIP-595, KIP-630, KIP-853.
[<RequireQualifiedAccess>]
type ControlRecordType =
    /// The producer's transaction was aborted here: readers of committed data skip its records (0).
    | Abort
    /// The producer's transaction was committed here (1).
    | Commit
    /// A new leader of the metadata partition (2).
    | LeaderChange
    /// The beginning of a metadata snapshot (3).
    | SnapshotHeader
    /// The end of a metadata snapshot (4).
    | SnapshotFooter
    /// The version of the metadata quorum's protocol (5).
    | KRaftVersion
    /// The voters of the metadata quorum (6).
    | KRaftVoters
    /// A type that this library does not know.
    | Unknown of code: int16

    /// The number in the record's key.
    member this.Code =
        match this with
        | Abort -> 0s
        | Commit -> 1s
        | LeaderChange -> 2s
        | SnapshotHeader -> 3s
        | SnapshotFooter -> 4s
        | KRaftVersion -> 5s
        | KRaftVoters -> 6s
        | Unknown code -> code

    /// The type with this number.
    static member OfCode(code: int16) =
        match code with
        | 0s -> Abort
        | 1s -> Commit
        | 2s -> LeaderChange
        | 3s -> SnapshotHeader
        | 4s -> SnapshotFooter
        | 5s -> KRaftVersion
        | 6s -> KRaftVoters
        | other -> Unknown other

    override this.ToString() =
        match this with
        | Abort -> "Abort"
        | Commit -> "Commit"
        | LeaderChange -> "LeaderChange"
        | SnapshotHeader -> "SnapshotHeader"
        | SnapshotFooter -> "SnapshotFooter"
        | KRaftVersion -> "KRaftVersion"
        | KRaftVoters -> "KRaftVoters"
        | Unknown code -> "Unknown (" + string code + ")"

/// A record that a broker wrote to the log about the records before it, such as the end of a transaction. It has an offset like any other,
/// but it is not data.
[<NoComparison>]
type ControlRecord =
    {
        /// The version of the key's format.
        Version: int16
        Type: ControlRecordType
        /// The content, whose format depends on the type; `ValueNone` is null.
        Value: Bytes voption
    }

    override this.ToString() = this.Type.ToString()

/// Parses control records.
[<RequireQualifiedAccess>]
module ControlRecord =

    /// Parses a record of a control batch (`RecordBatch.IsControl`). Its key is a version and a type of 16 bits each; what follows in a later
    /// version is ignored. Faults, with the path `Key` and the offset in the key: `Truncated` for a key that is null or too short, `OutOfRange`
    /// for a negative version.
    let ofRecord (record: Record) : Result<ControlRecord, Fault> =
        let key = record.Key.Span

        if key.Length < 4 then
            Error(Fault.ofField "Key" 0 (Problem.Truncated(4L, key.Length)))
        else
            let version = BinaryPrimitives.ReadInt16BigEndian key

            if version < 0s then
                Error(Fault.ofField "Key" 0 (Problem.OutOfRange(int64 version, 0L, int64 Int16.MaxValue)))
            else
                Ok
                    { Version = version
                      Type = ControlRecordType.OfCode(BinaryPrimitives.ReadInt16BigEndian(key.Slice 2))
                      Value = NullableBytes.copy record.Value }
