namespace LibKafka.Client

open System
open System.IO
open System.Net.Sockets
open System.Threading

/// What exceptions from a socket, or from TLS on it, mean for the caller.
[<RequireQualifiedAccess>]
module internal SocketFault =

    let private describe (error: SocketException) = error.Message + " (" + error.SocketErrorCode.ToString() + ")"

    // An exception and its inner ones.
    let rec private causes (error: exn) : exn list =
        match error.InnerException with
        | null -> [ error ]
        | inner -> error :: causes inner

    /// What an exception means.
    let ofException (broker: BrokerAddress) (deadline: Deadline) (cancellation: CancellationToken) (error: exn) : ClientFault =
        let ofSocket (error: SocketException) =
            match error.SocketErrorCode with
            | SocketError.TimedOut
            | SocketError.WouldBlock -> ClientFault.TimedOut deadline.Allowed
            | SocketError.ConnectionReset
            | SocketError.ConnectionAborted
            | SocketError.Shutdown -> ClientFault.Closed
            | _ -> ClientFault.Broken(describe error)

        let known (error: exn) =
            match error with
            | :? ClientFaultException as known -> Some known.Fault
            | :? SocketException as error -> Some(ofSocket error)
            | _ -> None

        if cancellation.IsCancellationRequested then
            ClientFault.Cancelled
        else
            let causes = causes error

            match List.tryPick known causes with
            | Some fault -> fault
            // It is neither from the socket nor a missing peer, so it is from TLS.
            | None when (error :? IOException || error :? Security.Authentication.AuthenticationException) ->
                ClientFault.TlsFailed(broker, causes |> List.map _.Message |> List.distinct |> String.concat " ")
            | None -> ClientFault.Broken error.Message

    /// What an exception while connecting means.
    let ofConnect (broker: BrokerAddress) (deadline: Deadline) (cancellation: CancellationToken) (error: exn) : ClientFault =
        match ofException broker deadline cancellation error with
        | ClientFault.Broken reason -> ClientFault.CannotConnect(broker, reason)
        | ClientFault.Closed -> ClientFault.CannotConnect(broker, error.Message)
        | fault -> fault

    /// What an exception in a TLS handshake means. Every record of TLS begins with its kind, 20 to 23. A broker without TLS takes the client's
    /// first record for a frame that is far too long, and closes the connection.
    let ofHandshake (plain: SocketStream) broker deadline cancellation (error: exn) : ClientFault =
        match ofException broker deadline cancellation error, plain.FirstByte with
        | (ClientFault.Cancelled | ClientFault.TimedOut _) as fault, _ -> fault
        | _, ValueSome first when first < 20uy || first > 23uy -> ClientFault.TlsNotSpoken broker
        | ClientFault.Closed, ValueNone -> ClientFault.TlsNotSpoken broker
        | _, ValueNone when plain.HasEnded -> ClientFault.TlsNotSpoken broker
        | ClientFault.Closed, _ -> ClientFault.TlsFailed(broker, "the broker closed the connection")
        | ClientFault.Broken reason, _ -> ClientFault.TlsFailed(broker, reason)
        | fault, _ -> fault
