/// What the first use of an API costs a program that lives for a moment.
module LibKafka.Properties.Protocol.FirstUseTests

open System.Reflection
open System.Runtime.Loader
open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Properties.Support

/// The library once more, with nothing in it used yet.
let private unused () : Assembly = AssemblyLoadContext("unused", true).LoadFromAssemblyPath(typeof<Bytes>.Assembly.Location)

/// The `api` of a module. Asking for it is its first use.
let private use' (library: Assembly) (api: string) : obj =
    match library.GetType("LibKafka.Protocol." + api) with
    | null -> failtestf "there is no module %s" api
    | found ->
        match found.GetProperty "api" with
        | null -> failtestf "%s has no api" api
        | property -> property.GetValue null |> Unchecked.nonNull

/// Memory that the first use of an API takes, where others have been used before.
let private cost (library: Assembly) (api: string) : int64 = allocating (fun () -> use' library api) |> snd

[<Tests>]
let tests =
    testList
        "The first use of an API"
        [ testCase "builds its own definitions and not those of the others" (fun () ->
              let names = Apis.keys |> List.map _.Name

              for first in [ "Produce"; "Metadata"; "UnregisterController" ] do
                  let library = unused ()
                  let own = cost library first
                  let others = names |> List.filter ((<>) first) |> List.sumBy (cost library)
                  Expect.isGreaterThan others (5L * own) (sprintf "bytes for the others, beside %d for %s" own first)
                  printfn "first use of %s: %d bytes; of all other APIs: %d bytes" first own others) ]
