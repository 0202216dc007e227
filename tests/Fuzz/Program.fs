/// `LibKafka.Fuzz TARGET` runs a target under AFL++, which passes the bytes. `LibKafka.Fuzz TARGET FILE ...` runs it on files, and
/// `LibKafka.Fuzz seeds FOLDER` writes the inputs that fuzzing starts with.
module LibKafka.Fuzz.Program

open System
open System.IO
open SharpFuzz

let private run (target: string) (bytes: byte[]) = Targets.all[target] bytes

/// Instrumented libraries must not be used before the fuzzer runs, not even for the values of the module `Targets`.
let private fuzz (target: string) =
    Fuzzer.OutOfProcess.Run(fun (stream: Stream) ->
        use copy = new MemoryStream()
        stream.CopyTo copy
        run target (copy.ToArray()))

[<EntryPoint>]
let main arguments =
    match List.ofArray arguments with
    | [] ->
        Console.Error.WriteLine("The targets are: " + String.Join(", ", Targets.all.Keys))
        2
    | [ "seeds"; folder ] ->
        Seeds.write folder
        0
    | [ target ] ->
        fuzz target
        0
    | target :: files ->
        files |> List.iter (File.ReadAllBytes >> run target)
        0
