namespace LibKafka.Topics

open LibKafka.Client

/// What must happen although an observer of an exchange throws. The exception passes through afterwards.
[<RequireQualifiedAccess>]
module internal Observed =

    /// The result of a call whose observer has thrown.
    let fault: ClientFault = ClientFault.Broken "an observer of the exchange has thrown"

    /// Runs an action for each item, even if it throws for one of them.
    let rec each (action: 'T -> unit) (items: 'T list) : unit =
        match items with
        | [] -> ()
        | first :: others ->
            try
                action first
            finally
                each action others

    /// Runs a call, and `thrown` too if the call throws.
    let orElse (thrown: unit -> unit) (call: unit -> 'T) : 'T =
        let mutable hasResult = false

        try
            let result = call ()
            hasResult <- true
            result
        finally
            if not hasResult then thrown ()
