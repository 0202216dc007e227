namespace LibKafka.Client

open LibKafka.Protocol

/// Why one item of an administrative call was not done.
[<RequireQualifiedAccess>]
type AdminFault =
    /// The broker's error code and message.
    | Refused of ErrorCode * remark: string option
    /// No broker could be asked, or the response was lost; then it may have been done.
    | Fault of ClientFault
    /// The response does not mention it.
    | NotAnswered

    /// A one-line description.
    override this.ToString() =
        match this with
        | Refused(code, remark) -> Explained.code code remark
        | Fault fault -> fault.ToString()
        | NotAnswered -> "the response does not mention it"

    /// The broker's error code, or the one that caused the fault; `None` if there is none.
    member this.ErrorCode =
        match this with
        | Refused(code, _) -> code
        | Fault fault -> fault.ErrorCode
        | NotAnswered -> ErrorCode.None

    /// Whether it may be done later.
    member this.IsTransient =
        match this with
        | Refused(code, _) -> code.IsRetriable
        | Fault fault -> fault.IsTransient
        | NotAnswered -> false

[<RequireQualifiedAccess>]
module internal AdminFault =

    /// The value, unless the code is an error.
    let check (code: ErrorCode) (remark: string option) (value: 'Value) : Result<'Value, AdminFault> =
        if code.IsError then Error(AdminFault.Refused(code, remark)) else Ok value

[<RequireQualifiedAccess>]
module internal AdminRepetition =

    // The look-ups that come before the request itself.
    let private isLookUp (info: ExchangeInfo) =
        info.Api = ApiKey.Metadata
        || info.Api = ApiKey.FindCoordinator
        || info.Api = ApiKey.ApiVersions
        || info.Api = ApiKey.SaslHandshake
        || info.Api = ApiKey.SaslAuthenticate

    let private mayBeDone (exchanges: ExchangeInfo list) (fault: AdminFault) =
        match fault with
        | AdminFault.Refused(code, _) -> code = ErrorCode.RequestTimedOut
        | AdminFault.Fault _ -> exchanges |> List.exists (fun info -> info.Fault.IsSome && info.WasSent && not (isLookUp info))
        | AdminFault.NotAnswered -> true

    /// Whether to make the whole call again. A call that changes something is not repeated if any of it was done, or may have been: the
    /// repetition would report that a topic exists already, or that a group is gone.
    let isOfUse (changes: bool) (exchanges: ExchangeInfo list) (results: Result<'Value, AdminFault> list) : bool =
        let faults =
            results
            |> List.choose (fun result ->
                match result with
                | Error fault -> Some fault
                | Ok _ -> None)
        let mayPass = not faults.IsEmpty && faults |> List.forall _.IsTransient

        if changes then
            mayPass && faults.Length = results.Length && not (faults |> List.exists (mayBeDone exchanges))
        else
            mayPass

/// The reply to an administrative call about several items. The result has one entry for each item, in the order given. The exchanges include
/// those that found the brokers to ask.
[<Sealed>]
type AdminReply<'Item, 'Value> internal (changes: bool, exchanges: ExchangeInfo list, result: ('Item * Result<'Value, AdminFault>) list) =
    inherit Reply<('Item * Result<'Value, AdminFault>) list>(result)
    override _.Exchanges = exchanges

    /// The error code of the first item that has one, or whose fault was caused by one; `None` if there is none.
    override _.Error =
        result
        |> List.tryPick (fun (_, result) ->
            match result with
            | Error fault when fault.ErrorCode.IsError -> Some fault.ErrorCode
            | _ -> None)
        |> Option.defaultValue ErrorCode.None

    /// Whether items failed, all of them for reasons that may go away, and the call may be repeated as a whole. A call that changes something may
    /// be only if nothing of it was done.
    override _.IsTransient = AdminRepetition.isOfUse changes exchanges (List.map snd result)

/// The reply to an administrative call without items. The exchanges include those that found the brokers to ask.
[<Sealed>]
type AdminAnswer<'Value> internal (changes: bool, exchanges: ExchangeInfo list, result: Result<'Value, AdminFault>) =
    inherit Reply<Result<'Value, AdminFault>>(result)
    override _.Exchanges = exchanges

    override _.Error =
        match result with
        | Error fault -> fault.ErrorCode
        | Ok _ -> ErrorCode.None

    override _.IsTransient = AdminRepetition.isOfUse changes exchanges [ result ]
