/// What the first use of an API costs a short-lived program.
module LibKafka.Properties.Protocol.FirstUseTests

open System.Reflection
open System.Runtime.Loader
open Expecto
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol
open LibKafka.Properties.Support

/// The library loaded again, so that nothing in it has been used yet.
let private unused () : Assembly = AssemblyLoadContext("unused", true).LoadFromAssemblyPath(typeof<Bytes>.Assembly.Location)

/// The `api` of a module. Asking for it is its first use.
let private use' (library: Assembly) (api: string) : obj =
    match library.GetType("LibKafka.Protocol." + api) with
    | null -> failtestf "there is no module %s" api
    | found ->
        match found.GetProperty "api" with
        | null -> failtestf "%s has no api" api
        | property -> property.GetValue null |> Unchecked.nonNull

/// The memory that the first use of an API takes, after others have been used.
let private cost (library: Assembly) (api: string) : int64 = allocating (fun () -> use' library api) |> snd

type private One = { Value: int32 }

/// A definition, and how often it has been made.
let private counted () : Schema<One> * (unit -> int) =
    let made = ref 0

    let schema = message {
        let! value =
            field
                "ThrottleTimeMs"
                _.Value
                (made.Value <- made.Value + 1
                 int32)
        return { Value = value }
    }

    schema, (fun () -> made.Value)

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
                  Expect.isGreaterThan others (5L * own) (sprintf "bytes for the others, against %d for %s" own first)
                  printfn "first use of %s: %d bytes; of all other APIs: %d bytes" first own others)

          testCase "of a definition makes it, once" (fun () ->
              let schema, made = counted ()
              let outer = array schema |> nullable
              Expect.equal (made ()) 0 "before"

              for version in 0s .. 2s do
                  schema.At { Number = version; Flexible = false } |> ignore
                  outer.At { Number = version; Flexible = false } |> ignore

              Expect.equal schema.Default { Value = 0 } "the default"
              Expect.equal (made ()) 1 "after")

          testCase "to send a request does not make the response" (fun () ->
              let request, requests = counted ()
              let response, responses = counted ()
              let api = Api.define ApiKey.Metadata (versions 0 0) request response |> Api.throttledBy _.Value
              Expect.equal (requests (), responses ()) (0, 0) "before"
              Expect.isOk (Frame.encodeRequest api 0s 1 None { Value = 5 }) "encoded"
              Expect.equal (requests (), responses ()) (1, 0) "after the request"
              Expect.equal (api.ThrottleTimeMs { Value = 7 }) 7 "the throttle time"
              Expect.equal (requests (), responses ()) (1, 0) "after the throttle time"
              Expect.isOk (Frame.encodeResponse api 0s 1 { Value = 7 }) "encoded"
              Expect.equal (requests (), responses ()) (1, 1) "after the response") ]
