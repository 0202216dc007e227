module LibKafka.Samples.Program

open LibKafka.Client

[<EntryPoint>]
let main arguments =
    match List.ofArray arguments with
    | [ "compaction"; bootstrap; topic ] ->
        Compaction.run bootstrap topic
        0
    | [ "tracing"; bootstrap; topic ] ->
        Tracing.run bootstrap topic
        0
    | "security" :: bootstrap :: authorities :: how ->
        Security.run bootstrap authorities how
        0
    | [ "hosting"; bootstrap; topic; group ] ->
        Hosting.run bootstrap topic group
        0
    | [ "telemetry"; bootstrap; topic ] ->
        Telemetry.run bootstrap topic
        0
    | [ "request"; bootstrap ] ->
        Request.run bootstrap
        0
    | [ "proxy"; port; host; brokerPort ] ->
        Proxy.run (int port) { Host = host; Port = int brokerPort }
        0
    | _ ->
        eprintfn "compaction bootstrap topic"
        eprintfn "tracing bootstrap topic"
        eprintfn "security bootstrap authorities.pem [certificate FILE KEY | password USER PASSWORD | token TOKEN]"
        eprintfn "hosting bootstrap topic group"
        eprintfn "telemetry bootstrap topic"
        eprintfn "request bootstrap"
        eprintfn "proxy port broker-host broker-port"
        2
