module LibKafka.Samples.Program

open System.Runtime.InteropServices
open System.Threading

let private start (arguments: string list) (stop: CancellationToken) : int =
    match arguments with
    | [ "keyed-producer"; bootstrap; topic ] -> KeyedProducer.run bootstrap topic
    | [ "group-member"; bootstrap; topic; group ] ->
        GroupMember.run bootstrap topic group stop
        0
    | [ "mirror"; source; target; topic; group ] ->
        Mirror.run source target topic group stop
        0
    | [ "lag-monitor"; bootstrap; topic; group; partitions ] ->
        LagMonitor.run bootstrap topic group (int partitions) stop
        0
    | [ "exactly-once"; bootstrap; source; target; group ] ->
        ExactlyOnceCopy.run bootstrap source target group stop
        0
    | _ ->
        eprintfn "keyed-producer bootstrap topic"
        eprintfn "group-member bootstrap topic group"
        eprintfn "mirror source-bootstrap target-bootstrap topic group"
        eprintfn "lag-monitor bootstrap topic group partitions"
        eprintfn "exactly-once bootstrap from-topic to-topic group"
        2

[<EntryPoint>]
let main arguments =
    use stop = new CancellationTokenSource()

    // Ctrl-C and a termination end all programs in order, except the one that ends with its input.
    let stopping (signal: PosixSignalContext) =
        signal.Cancel <- Array.tryHead arguments <> Some "keyed-producer"
        stop.Cancel()

    use _ = PosixSignalRegistration.Create(PosixSignal.SIGINT, stopping)
    use _ = PosixSignalRegistration.Create(PosixSignal.SIGTERM, stopping)

    try
        start (List.ofArray arguments) stop.Token
    with error ->
        eprintfn "%s" error.Message
        1
