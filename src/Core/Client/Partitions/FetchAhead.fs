namespace LibKafka.Client

open System
open LibKafka.Protocol

/// Reads a partition in order, with the next fetch on its way while the caller handles the one before. Its two receive buffers take turns, so in
/// a steady state no memory is allocated for responses. It uses a fetcher, and moves that fetcher's position.
///
/// The next fetch is sent only after a fetch without a fault and an error code, all of whose bytes can be read (`Advance.To`). After any other
/// nothing is on its way and the position is unchanged: the caller decides what follows, moves the fetcher if necessary (`PartitionFetcher.Seek`,
/// or `Position` to skip damage or to go back after a truncation), and continues with `Next`, which fetches from there. So `Next` can be repeated by
/// a `RetryPolicy`. A helper must not be used by several threads at a time.
[<Sealed>]
type FetchAhead(fetcher: PartitionFetcher) =
    let memories = [| ReceiveBuffer(); ReceiveBuffer() |]
    let mutable turn = 0
    let mutable pending: PendingCall<Fetched> option = None
    // A reply that the caller has not got yet, and where to continue after it.
    let mutable undelivered: (Fetched * Advance) option = None
    let mutable advance = Advance.To fetcher.Position

    let send (call: CallOptions) =
        let memory = memories[turn]
        let sent = fetcher.Begin { call with Memory = Some memory }
        turn <- 1 - turn
        pending <- Some sent
        sent

    // The call is forgotten only when its reply is here, because an observer may throw.
    let complete (sent: PendingCall<Fetched>) : Fetched =
        let fetched = sent.Complete()
        pending <- None
        fetched

    // The next reply. One for a position that the fetcher has since been moved away from is dropped.
    let rec receive (call: CallOptions) : Fetched =
        match pending with
        | None -> complete (send call)
        | Some sent ->
            let fetched = complete sent
            if fetched.Position = fetcher.Position then fetched else receive call

    // An exception while the next fetch is sent must not lose this reply.
    let sendNext (call: CallOptions) (fetched: Fetched) (next: Advance) =
        match next with
        | Advance.To position when fetched.Result.IsOk ->
            fetcher.Position <- position
            send call |> ignore
        | _ -> ()

    /// The fetcher that it uses. While a fetch is on its way, only its position may be set: see `Settle`.
    member _.Fetcher = fetcher

    /// Whether a fetch is on its way.
    member _.IsAhead = pending.IsSome

    /// The fetch that is on its way, to wait for it with others; none if none is. Completing it here leaves its reply to `Next`.
    member _.Pending: PendingCall option = pending |> Option.map (fun sent -> sent :> PendingCall)

    /// Where to continue after the last reply: see `Fetched.advance`. After `Advance.To` the next fetch has been sent from there.
    member _.Advance = advance

    /// Waits for the fetch that is on its way, or makes one, and sends the next before it returns. `call` is for the fetches that it sends: the one
    /// that is on its way has the options of the call before. Their memory is not used.
    ///
    /// The records and batches of the reply refer to one of the two buffers. They are valid until the second call of `Next` from now.
    member _.Next(?call: CallOptions) : Fetched =
        let call = defaultArg call CallOptions.standard

        let fetched, next =
            match undelivered with
            | Some known -> known
            | None ->
                let fetched = receive call
                fetched, Fetched.advance fetched

        undelivered <- Some(fetched, next)
        sendNext call fetched next
        undelivered <- None
        advance <- next
        fetched

    /// Waits for the fetch that is on its way, if there is one, and drops it, so that the fetcher and its client can be used for other calls. `Next`
    /// continues at the fetcher's position.
    member _.Settle() = pending |> Option.iter (complete >> ignore)

    interface IDisposable with
        /// Abandons the fetch that is on its way, which closes its connection. The fetcher is not disposed.
        member _.Dispose() =
            pending |> Option.iter _.Abandon()
            pending <- None
