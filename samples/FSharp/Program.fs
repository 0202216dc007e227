module LibKafka.Samples.Program

[<EntryPoint>]
let main _ =
    System.Console.WriteLine "LibKafka from F#"
    0
