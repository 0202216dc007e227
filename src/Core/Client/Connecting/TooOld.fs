namespace LibKafka.Client

open LibKafka.Wire
open LibKafka.Protocol

/// Requests that the highest version the broker supports cannot carry, although later versions can.
[<RequireQualifiedAccess>]
module internal TooOld =

    // The options of calls that set a field, with the release of Kafka that brought its version. Other fields are named by their paths.
    let private optionOf (path: string) : (string * string) option =
        match path with
        | "InitProducerIdRequest/ProducerId"
        | "InitProducerIdRequest/ProducerEpoch" -> Some("RaiseEpoch", "Kafka 2.5")
        | "OffsetFetchRequest/RequireStable" -> Some("requireStable", "Kafka 2.5")
        | "TxnOffsetCommitRequest/GenerationIdOrMemberEpoch"
        | "TxnOffsetCommitRequest/MemberId"
        | "TxnOffsetCommitRequest/GroupInstanceId" -> Some("a commit with a membership in a transaction", "Kafka 2.5")
        | "OffsetCommitRequest/GroupInstanceId" -> Some("a commit with the membership of a static member", "Kafka 2.3")
        | "JoinGroupRequest/GroupInstanceId"
        | "SyncGroupRequest/GroupInstanceId"
        | "HeartbeatRequest/GroupInstanceId" -> Some("a static member (group.instance.id)", "Kafka 2.3")
        | _ -> None

    // The first later version that can carry the request.
    let private firstFor (api: Api<'Request, 'Response>) (version: int16) (request: 'Request) : int16 option =
        seq { version + 1s .. api.Versions.Highest }
        |> Seq.tryFind (fun later -> (Frame.encodeRequest api later 0 None request).IsOk)

    let private faultOf (api: Api<'Request, 'Response>) (version: int16) (request: 'Request) (fault: Fault) : ClientFault option =
        firstFor api version request
        |> Option.map (fun first ->
            let needed = api.Key.ToString() + " version " + string first
            let part, needs = optionOf fault.Path |> Option.defaultValue (fault.Path, needed)
            ClientFault.BrokerTooOld(part, needs, "it supports " + api.Key.ToString() + " up to version " + string version))

    /// The fault of an exchange in the highest version that the broker supports: if a later version could have carried the request, the broker
    /// is too old for it.
    let explain
        (api: Api<'Request, 'Response>)
        (theirs: VersionRange)
        (exchange: Exchange<'Request, 'Answer>)
        : Exchange<'Request, 'Answer> =
        match exchange.Result with
        | Error(ClientFault.CannotEncode({ Problem = Problem.LossyField version } as fault)) when version = theirs.Highest ->
            match faultOf api version exchange.Request fault with
            | None -> exchange
            | Some fault -> { exchange with Info = { exchange.Info with Fault = Some fault }; Result = Error fault }
        | _ -> exchange
