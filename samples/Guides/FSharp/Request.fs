/// Sends a request by hand, and prints the response: bootstrap
module LibKafka.Samples.Request

open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client

let run (bootstrap: string) =
    let brokers = Bootstrap.parse bootstrap |> Result.defaultWith (failwithf "%O")
    use connection = Cluster.Connect(ClientSettings.standard, brokers) |> Result.defaultWith (failwithf "%O")

    // The fields that are not set have the defaults of the protocol.
    let request = { ListTransactions.request.Default with StateFilters = [ TransactionState.Ongoing ] }
    let exchange = connection.Call(ListTransactions.api, request)

    match exchange.Result with
    | Ok response -> printfn $"{Message.show ListTransactions.api.Response response}"
    | Error fault -> eprintfn $"{fault}"
