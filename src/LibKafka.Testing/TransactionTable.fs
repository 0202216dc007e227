namespace LibKafka.Testing

/// The transactions and the producer ids of the cluster.
type TransactionTable =
    {
        /// The producer id that the next producer gets.
        NextProducerId: int64
    }

[<RequireQualifiedAccess>]
module TransactionTable =

    let empty: TransactionTable = { NextProducerId = 0L }
