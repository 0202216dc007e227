module LibKafka.Integration.Program

open Expecto

let private runTests (arguments: string[]) : int =
    let failed = runTestsInAssemblyWithCLIArgs [] arguments

    match Clusters.stop () with
    | [] -> failed
    | complaints ->
        for complaint in complaints do
            eprintfn "a mock broker was sent what it could not read: %s" complaint

        1

[<EntryPoint>]
let main arguments =
    match ForeignMember.tryRun (List.ofArray arguments) with
    | Some code -> code
    | None -> runTests arguments
