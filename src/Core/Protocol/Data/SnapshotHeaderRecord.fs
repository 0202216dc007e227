namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation

/// The control record with which a snapshot of the metadata log begins (KIP-630).
module SnapshotHeaderRecord =

    type SnapshotHeader =
        {
            /// The version of this record.
            Version: int16
            /// When the last record that the snapshot covers was appended to the log, in milliseconds since the epoch.
            LastContainedLogTimestamp: int64
        }

    let schema = message {
        let! version = field "Version" _.Version int16
        and! timestamp = field "LastContainedLogTimestamp" _.LastContainedLogTimestamp int64
        return { Version = version; LastContainedLogTimestamp = timestamp }
    }

    let message: Message<SnapshotHeader> =
        { Name = "SnapshotHeaderRecord"; Versions = { Lowest = 0s; Highest = 0s }; FlexibleSince = Some 0s; Schema = schema }
