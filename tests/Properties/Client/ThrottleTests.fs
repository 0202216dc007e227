/// The throttle time of every response that has one, compared with the definitions.
module LibKafka.Properties.ThrottleTests

open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Properties.Support
open LibKafka.Properties.Protocol.Definitions

/// Whether the schema has the field in the newest version, and what is found of 77 in it.
let private found: IApiVisitor<bool * int32> =
    { new IApiVisitor<bool * int32> with
        member _.Visit(api, _, _) =
            let newest = api.Versions.Highest

            let hasField =
                match Message.shape newest api.Response |> ok "shape" with
                | Shape.Struct(fields, _) -> fields |> List.exists (fun field -> field.Name = "ThrottleTimeMs")
                | _ -> false

            let json = if hasField then """{"throttleTimeMs": 77}""" else "{}"
            hasField, api.ThrottleTimeMs(Message.ofJson newest api.Response json |> ok "JSON") }

[<Tests>]
let tests =
    testList
        "throttle time"
        [ for api in apis do
              testCase (api.Key.ToString()) (fun () ->
                  match Apis.visit found api.Key with
                  | Some(true, value) -> Expect.equal value 77 "what the response says"
                  | Some(false, value) -> Expect.equal value 0 "the response has none"
                  | None -> failtest "the API is listed")

          testCase "most responses have it" (fun () ->
              let having = apis |> List.filter (fun api -> Apis.visit found api.Key |> Option.exists fst)
              Expect.isGreaterThan having.Length (apis.Length / 2) "so many") ]
