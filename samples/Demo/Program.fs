module LibKafka.Demo.Program

open System
open LibKafka.MockCluster

[<EntryPoint>]
let main argv =
    Console.WriteLine("librdkafka " + NativeLibrary.version () + ", " + string argv.Length + " arguments")

    0
