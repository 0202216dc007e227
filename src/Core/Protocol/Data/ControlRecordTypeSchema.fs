namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation

/// The key of a control record, behind two bytes with the version: it says what the record's value is (KIP-98).
module ControlRecordTypeSchema =

    type ControlRecordKey =
        {
            /// 0 aborts a transaction and 1 commits it, both with an EndTxnMarker. The rest stand in the metadata log: 2 for a
            /// LeaderChangeMessage, 3 and 4 for a SnapshotHeaderRecord and a SnapshotFooterRecord, 5 for a KRaftVersionRecord, 6 for a
            /// VotersRecord. A reader skips what it does not know.
            Type: int16
        }

    let schema = message {
        let! kind = field "Type" _.Type int16
        return { Type = kind }
    }

    let message: Message<ControlRecordKey> =
        { Name = "ControlRecordTypeSchema"; Versions = { Lowest = 0s; Highest = 0s }; FlexibleSince = None; Schema = schema }
