namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation

/// The control record at the beginning of a snapshot of the metadata log (KIP-630).
module SnapshotHeaderRecord =

    type SnapshotHeader =
        {
            /// The version of this record.
            Version: int16
            /// When the last record in the snapshot was appended to the log, in milliseconds since the epoch.
            LastContainedLogTimestamp: int64
        }

    let schema = message {
        let! version = field "Version" _.Version int16
        and! timestamp = field "LastContainedLogTimestamp" _.LastContainedLogTimestamp int64
        return { Version = version; LastContainedLogTimestamp = timestamp }
    }

    let message: Message<SnapshotHeader> = Message.define "SnapshotHeaderRecord" (versions 0 0 |> flexibleFrom 0) schema

    type SnapshotHeader with
        override this.ToString() = Message.show message this
