module LibKafka.Samples.Program

open LibKafka.Client

[<EntryPoint>]
let main arguments =
    match arguments with
    | [| "compaction"; bootstrap; topic |] ->
        Compaction.run bootstrap topic
        0
    | [| "request"; bootstrap |] ->
        Request.run bootstrap
        0
    | [| "proxy"; port; host; brokerPort |] ->
        Proxy.run (int port) { Host = host; Port = int brokerPort }
        0
    | _ ->
        eprintfn "compaction bootstrap topic"
        eprintfn "request bootstrap"
        eprintfn "proxy port broker-host broker-port"
        2
