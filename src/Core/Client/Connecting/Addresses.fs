namespace LibKafka.Client

open System.Net

/// The addresses of a broker's host.
[<RequireQualifiedAccess>]
module internal Addresses =

    // How far an attempt went: what an address that went further reports is worth more than that another one refuses connections.
    let private progress (fault: ClientFault) : int =
        match fault with
        | ClientFault.CannotConnect _ -> 0
        | ClientFault.TimedOut _ -> 1
        | _ -> 2

    // An equal part of the time that is left, for the first of several addresses.
    let private share (count: int) (operation: Operation) : Operation =
        if count = 1 then operation else operation.Within(operation.Deadline.Share count)

    // The time of one of several addresses has run out, but not that of the operation. The last address has all the time that is left.
    let private withoutShare (broker: BrokerAddress) (address: IPAddress) (count: int) (operation: Operation) (fault: ClientFault) =
        match fault with
        | ClientFault.TimedOut after when count > 1 && not operation.Deadline.IsOver ->
            let time = string (int after.TotalMilliseconds) + " ms"
            ClientFault.CannotConnect(broker, "its address " + address.ToString() + " did not answer within " + time)
        | fault -> fault

    /// Tries the addresses in turn until a connection could be made to one. If none could, the fault is that of the attempt that went furthest.
    let tryEach
        (broker: BrokerAddress)
        (history: BrokerHistory)
        (operation: Operation)
        (openOne: IPAddress -> Operation -> Result<'Connection, ClientFault>)
        (addresses: IPAddress list)
        : Result<'Connection, ClientFault> =
        let rec from (best: ClientFault) (remaining: IPAddress list) =
            match remaining with
            | [] -> Error best
            | _ when operation.Deadline.IsOver && progress best = 0 -> Error(ClientFault.TimedOut operation.Deadline.Allowed)
            | _ when operation.Deadline.IsOver -> Error best
            | address :: others ->
                let opened = openOne address (share remaining.Length operation)

                match opened with
                | Ok _ ->
                    history.Tried(broker, address, true)
                    opened
                | Error ClientFault.Cancelled -> opened
                | Error fault ->
                    history.Tried(broker, address, false)
                    let fault = withoutShare broker address remaining.Length operation fault
                    from (if progress fault >= progress best then fault else best) others

        from (ClientFault.CannotConnect(broker, "the host name has no address")) (history.InOrder(broker, addresses))
