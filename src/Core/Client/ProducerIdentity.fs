namespace LibKafka.Client

open System
open System.Threading
open LibKafka.Protocol

/// Who an idempotent producer is to the brokers (KIP-98): they know a batch that comes a second time by this and the batch's sequence.
type ProducerIdentity =
    {
        ProducerId: int64
        /// Of producers with the same id, brokers let only the one with the highest epoch through.
        ProducerEpoch: int16
    }

    /// As in `producer 4711 epoch 3`.
    override this.ToString() = "producer " + string this.ProducerId + " epoch " + string this.ProducerEpoch

/// Who a transactional producer is: the name that outlives it, and what the transaction coordinator gave it under that name.
type TransactionalIdentity = { TransactionalId: string; Identity: ProducerIdentity }

/// Coming by a producer identity, and by the next one.
[<RequireQualifiedAccess>]
module ProducerIdentity =

    /// Asks for a new identity. Without transactions, any broker gives one; the broker that a connection goes to will do. A broker that
    /// knows KIP-360 (version 3) is told which identity the producer had.
    let request
        (connection: Connection)
        (previous: ProducerIdentity option)
        (cancellation: CancellationToken)
        : Exchange<InitProducerId.Request, InitProducerId.Response> =
        let takesPrevious =
            match connection.VersionOf InitProducerId.api with
            | Ok version -> version >= 3s
            | Error _ -> false

        let had =
            match previous with
            | Some identity when takesPrevious -> identity
            | _ -> { ProducerId = -1L; ProducerEpoch = -1s }

        connection.Call(
            InitProducerId.api,
            { TransactionalId = None
              TransactionTimeoutMs = Int32.MaxValue
              ProducerId = had.ProducerId
              ProducerEpoch = had.ProducerEpoch
              Enable2Pc = false
              KeepPreparedTxn = false },
            cancellation
        )

    /// The identity that a response gives, or the error code that says why it gives none.
    let ofResponse (response: InitProducerId.Response) : Result<ProducerIdentity, ErrorCode> =
        if response.Error.IsError then
            Error response.Error
        else
            Ok { ProducerId = response.ProducerId; ProducerEpoch = response.ProducerEpoch }

    /// The same producer in its next epoch, which a producer without transactions may take by itself (KIP-360): brokers then begin with
    /// sequence 0 again, and let nothing through that was sent in an earlier epoch and is still on its way. None after the last epoch,
    /// when there is nothing but a new identity.
    let nextEpoch (identity: ProducerIdentity) : ProducerIdentity option =
        if identity.ProducerEpoch < Int16.MaxValue then
            Some { identity with ProducerEpoch = identity.ProducerEpoch + 1s }
        else
            None
