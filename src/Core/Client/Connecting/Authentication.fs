namespace LibKafka.Client

open System
open System.Threading
open LibKafka.Wire
open LibKafka.Protocol

/// The two requests of an authentication, as a connection makes them.
[<NoEquality; NoComparison>]
type internal SaslCalls =
    { Handshake: SaslHandshake.Request -> Result<SaslHandshake.Response, ClientFault>
      Authenticate: SaslAuthenticate.Request -> Result<SaslAuthenticate.Response, ClientFault> }

/// Authentication by a SASL mechanism: SaslHandshake chooses it, then SaslAuthenticate carries its messages (KIP-43, KIP-152).
[<RequireQualifiedAccess>]
module internal Authentication =

    let private failed (mechanism: ISaslMechanism) (failure: SaslFailure) : Result<'T, ClientFault> =
        Error(ClientFault.SaslFailed(mechanism.Name, failure))

    // The mechanism may be the caller's own, and may throw any exception.
    let private guarded mechanism (cancellation: CancellationToken) (failure: string -> SaslFailure) (work: unit -> 'T) =
        try
            Ok(work ())
        with
        | _ when cancellation.IsCancellationRequested -> Error ClientFault.Cancelled
        | :? ClientFaultException as known -> Error known.Fault
        | error -> failed mechanism (failure error.Message)

    let private choose (mechanism: ISaslMechanism) (calls: SaslCalls) : Result<unit, ClientFault> =
        match calls.Handshake { Mechanism = mechanism.Name } with
        | Error fault -> Error fault
        | Ok response when response.Error = ErrorCode.UnsupportedSaslMechanism ->
            failed mechanism (SaslFailure.NotOffered response.Mechanisms)
        | Ok response when response.Error.IsError -> failed mechanism (SaslFailure.Refused(response.Error, ""))
        | Ok _ -> Ok()

    // A session must be renewed after 85 percent of its lifetime, as Kafka's own clients do (KIP-368). None if it does not end.
    let private sessionOf (response: SaslAuthenticate.Response) (since: int64) : Stretch voption =
        if response.SessionLifetimeMs > 0L then
            // A lifetime may be longer than a TimeSpan can be; two thousand years are enough.
            ValueSome { Since = since; For = TimeSpan.FromMilliseconds(0.85 * float response.SessionLifetimeMs |> min 6e13) }
        else
            ValueNone

    let rec private converse mechanism (calls: SaslCalls) (operation: Operation) (conversation: ISaslConversation) (message: Bytes) =
        let since = operation.Settings.Time.GetTimestamp()

        match calls.Authenticate { AuthBytes = message } with
        | Error fault -> Error fault
        | Ok response when response.Error.IsError ->
            failed mechanism (SaslFailure.Refused(response.Error, Option.defaultValue "" response.ErrorMessage))
        | Ok response ->
            match guarded mechanism operation.Cancellation SaslFailure.NotTrusted (fun () -> conversation.Answer response.AuthBytes) with
            | Error fault -> Error fault
            | Ok(SaslReply.Send next) -> converse mechanism calls operation conversation next
            | Ok(SaslReply.Refuse reason) -> failed mechanism (SaslFailure.NotTrusted reason)
            | Ok SaslReply.Done -> Ok(sessionOf response since)

    /// Authenticates with a broker. The result is the time after which that must be renewed, if the broker limits it.
    let run
        (mechanism: ISaslMechanism)
        (broker: BrokerAddress)
        (operation: Operation)
        (calls: SaslCalls)
        : Result<Stretch voption, ClientFault> =
        let cancellation = operation.Cancellation
        let deadline = operation.Deadline

        let start () =
            let conversation = deadline.Within(cancellation, (fun stop -> mechanism.Begin(broker, stop)))
            conversation, conversation.First

        choose mechanism calls
        |> Result.bind (fun () -> guarded mechanism cancellation SaslFailure.NoCredentials start)
        |> Result.bind (fun (conversation, first) -> converse mechanism calls operation conversation first)
