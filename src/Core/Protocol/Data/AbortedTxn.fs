namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation

/// An aborted transaction in a segment's index of them, the file `.txnindex` (KIP-98). Two bytes with the version stand before each.
module AbortedTxn =

    type Transaction =
        {
            ProducerId: int64
            /// The offset of the transaction's first record in the partition.
            FirstOffset: int64
            /// The offset of the marker that aborted it.
            LastOffset: int64
            /// The last stable offset once it was aborted. Transactions further on in the index begin here or later, so a reader that
            /// wants nothing so late can stop.
            LastStableOffset: int64
        }

    let schema = message {
        let! producer = field "ProducerId" _.ProducerId int64
        and! first = field "FirstOffset" _.FirstOffset int64
        and! last = field "LastOffset" _.LastOffset int64
        and! stable = field "LastStableOffset" _.LastStableOffset int64

        return { ProducerId = producer; FirstOffset = first; LastOffset = last; LastStableOffset = stable }
    }

    let message: Message<Transaction> =
        { Name = "AbortedTxn"; Versions = { Lowest = 0s; Highest = 0s }; FlexibleSince = None; Schema = schema }
