namespace LibKafka.Client

open System
open LibKafka.Protocol

/// The identity of an idempotent producer (KIP-98): brokers recognize a batch that arrives a second time by this and the batch's sequence.
type ProducerIdentity =
    {
        ProducerId: int64
        /// Of producers with the same id, brokers accept only the one with the highest epoch.
        ProducerEpoch: int16
    }

    /// Asks for a new identity for a producer without transactions, which any broker can give. A broker that supports KIP-360 (Kafka 2.5)
    /// is told the identity that the producer had before.
    static member Request
        (connection: Connection, ?previous: ProducerIdentity, ?call: CallOptions)
        : Reply<InitProducerId.Request, InitProducerId.Response, Result<ProducerIdentity, CallFailure>> =
        let takesPrevious =
            match connection.VersionOf InitProducerId.api with
            | Ok version -> version >= InitProducerId.producerSince
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
            ?call = call
        )
        |> Reply.reading _.Error (fun response -> { ProducerId = response.ProducerId; ProducerEpoch = response.ProducerEpoch })

    /// The same, on a connection of its own to one of the brokers, which is closed again.
    static member Request(settings: ClientSettings, bootstrap: Bootstrap, ?call: CallOptions) : Result<ProducerIdentity, CallFailure> =
        Cluster.Connect(settings, bootstrap, ?call = call)
        |> Result.mapError CallFailure.Fault
        |> Result.bind (fun connection ->
            use connection = connection
            (ProducerIdentity.Request(connection, ?call = call)).Result)

    /// As in `producer 4711 epoch 3`.
    override this.ToString() = "producer " + string this.ProducerId + " epoch " + string this.ProducerEpoch

[<RequireQualifiedAccess>]
module ProducerIdentity =

    /// The identity of no producer, which a first request for an identity has.
    let internal none = { ProducerId = -1L; ProducerEpoch = -1s }

    /// The identity in a response, or the error code that says why there is none.
    let ofResponse (response: InitProducerId.Response) : Result<ProducerIdentity, ErrorCode> =
        if response.Error.IsError then
            Error response.Error
        else
            Ok { ProducerId = response.ProducerId; ProducerEpoch = response.ProducerEpoch }

    /// The same producer in its next epoch, which a producer without transactions may begin by itself (KIP-360). Its sequences start at 0
    /// again, and brokers refuse batches of earlier epochs that arrive late. None after the last epoch: then the producer needs a new identity.
    let nextEpoch (identity: ProducerIdentity) : ProducerIdentity option =
        if identity.ProducerEpoch < Int16.MaxValue then
            Some { identity with ProducerEpoch = identity.ProducerEpoch + 1s }
        else
            None
