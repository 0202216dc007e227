module LibKafka.Integration.Program

open Expecto

[<EntryPoint>]
let main argv =
    let failed = runTestsInAssemblyWithCLIArgs [] argv

    match Clusters.stop () with
    | [] -> failed
    | complaints ->
        for complaint in complaints do
            eprintfn "a mock broker was sent what it could not read: %s" complaint

        1
