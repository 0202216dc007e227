namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation

/// The key of a control record, after a two-byte version. It contains the type of the record's value (KIP-98).
module ControlRecordTypeSchema =

    type ControlRecordKey =
        {
            /// 0 for abort and 1 for commit, both with an EndTxnMarker. The other types are in the metadata log: 2 for
            /// LeaderChangeMessage, 3 for SnapshotHeaderRecord, 4 for SnapshotFooterRecord, 5 for KRaftVersionRecord, 6 for VotersRecord.
            /// A reader skips unknown types.
            Type: int16
        }

    let schema = message {
        let! kind = field "Type" _.Type int16
        return { Type = kind }
    }

    let message: Message<ControlRecordKey> = Message.define "ControlRecordTypeSchema" (versions 0 0) schema

    type ControlRecordKey with
        override this.ToString() = Message.show message this
