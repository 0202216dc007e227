namespace LibKafka.Client

open System
open System.IO
open System.Net.Sockets

/// What exceptions from a socket, or from TLS on it, mean for the caller.
[<RequireQualifiedAccess>]
module internal SocketFault =

    let private describe (error: SocketException) = error.Message + " (" + error.SocketErrorCode.ToString() + ")"

    // An exception and its inner ones.
    let rec private causes (error: exn) : exn list =
        match error.InnerException with
        | null -> [ error ]
        | inner -> error :: causes inner

    // Sockets report their own time-out as `TimedOut`, but the kernel also uses that code for a peer that does not answer or has closed in the
    // middle of a send, so the code alone does not mean that the time for the operation ran out.
    let private ofSocket (error: SocketException) : ClientFault =
        match error.SocketErrorCode with
        | SocketError.ConnectionReset
        | SocketError.ConnectionAborted
        | SocketError.Shutdown -> ClientFault.Closed
        | _ -> ClientFault.Broken(describe error)

    /// What an exception means. `ranOut` says whether the operation's time had run out.
    let ofException (broker: BrokerAddress) (operation: Operation) (ranOut: bool) (error: exn) : ClientFault =
        let known (error: exn) =
            match error with
            | :? ClientFaultException as known -> Some known.Fault
            | :? SocketException as error -> Some(ofSocket error)
            | _ -> None

        if operation.Cancellation.IsCancellationRequested then
            ClientFault.Cancelled
        elif ranOut then
            ClientFault.TimedOut operation.Deadline.Allowed
        else
            let causes = causes error

            match List.tryPick known causes with
            | Some fault -> fault
            // It is neither from the socket nor a missing peer, so it is from TLS.
            | None when (error :? IOException || error :? Security.Authentication.AuthenticationException) ->
                ClientFault.TlsFailed(broker, causes |> List.map _.Message |> List.distinct |> String.concat " ")
            | None -> ClientFault.Broken error.Message

    /// What an exception while connecting means.
    let ofConnect (broker: BrokerAddress) (operation: Operation) (ranOut: bool) (error: exn) : ClientFault =
        match ofException broker operation ranOut error with
        | ClientFault.Broken reason -> ClientFault.CannotConnect(broker, reason)
        | ClientFault.Closed -> ClientFault.CannotConnect(broker, error.Message)
        | fault -> fault

    /// What an exception in a TLS handshake means. A connection that ends is transient at any moment: brokers restart. Alerts, and what does not
    /// follow the protocol, are final. Every record of TLS begins with its kind, 20 to 23.
    let ofHandshake (plain: SocketStream) (broker: BrokerAddress) (operation: Operation) (error: exn) : ClientFault =
        let ended =
            ClientFault.CannotConnect(
                broker,
                "it closed the connection during the TLS handshake, as a broker that stops does, or a listener without TLS"
            )

        match ofException broker operation plain.IsOverdue error, plain.FirstByte with
        | (ClientFault.Cancelled | ClientFault.TimedOut _) as fault, _ -> fault
        | _, ValueSome first when first < 20uy || first > 23uy -> ClientFault.TlsNotSpoken broker
        | ClientFault.Closed, _ -> ended
        | _ when plain.HasEnded -> ended
        | ClientFault.Broken reason, _ when (error :? SocketException || error.InnerException :? SocketException) ->
            ClientFault.CannotConnect(broker, reason)
        | ClientFault.Broken reason, _ -> ClientFault.TlsFailed(broker, reason)
        | fault, _ -> fault
