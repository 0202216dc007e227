namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation

/// An entry in a segment's index of aborted transactions, the file `.txnindex` (KIP-98). Each entry has a two-byte version prefix.
module AbortedTxn =

    type Transaction =
        {
            ProducerId: int64
            /// The offset of the transaction's first record in the partition.
            FirstOffset: int64
            /// The offset of the abort marker.
            LastOffset: int64
            /// The last stable offset after the abort. Later entries of the index are of transactions that begin at this offset or later,
            /// so a reader can stop when it is after the end of the records read.
            LastStableOffset: int64
        }

    let schema = message {
        let! producer = field "ProducerId" _.ProducerId int64
        and! first = field "FirstOffset" _.FirstOffset int64
        and! last = field "LastOffset" _.LastOffset int64
        and! stable = field "LastStableOffset" _.LastStableOffset int64

        return { ProducerId = producer; FirstOffset = first; LastOffset = last; LastStableOffset = stable }
    }

    let message: Message<Transaction> = Message.define "AbortedTxn" (versions 0 0) schema

    type Transaction with
        override this.ToString() = Message.show message this
