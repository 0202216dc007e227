module LibKafka.Aot.Program

[<EntryPoint>]
let main _ =
    System.Console.WriteLine "LibKafka, compiled ahead of time"
    0
