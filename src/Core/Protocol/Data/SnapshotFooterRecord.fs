namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation

/// The control record at the end of a snapshot of the metadata log (KIP-630). Without it the snapshot is incomplete.
module SnapshotFooterRecord =

    type SnapshotFooter =
        {
            /// The version of this record.
            Version: int16
        }

    let schema = message {
        let! version = field "Version" _.Version int16
        return { Version = version }
    }

    let message: Message<SnapshotFooter> = Message.define "SnapshotFooterRecord" (versions 0 0 |> flexibleFrom 0) schema

    type SnapshotFooter with
        override this.ToString() = Message.show message this
