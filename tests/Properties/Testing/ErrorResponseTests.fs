/// The responses that a script gives in place of the brokers' own.
module LibKafka.Properties.Testing.ErrorResponseTests

open Expecto
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Testing

let private isWritten (version: int16) (response: Response) (what: string) =
    match Frame.writeAnyResponse (Writer 64) version 1 response with
    | Ok() -> ()
    | Error fault -> failtestf "%s: %O" what fault

/// Writes the error responses of all versions of an API to a request without parts. Returns their number.
let private ofDefault =
    { new IApiVisitor<int> with
        member _.Visit(api, ofRequest, _) =
            for version in api.Versions.Lowest .. api.Versions.Highest do
                match ErrorResponses.tryCreate version (ofRequest api.Request.Schema.Default) ErrorCode.UnknownServerError with
                | ValueSome response -> isWritten version response (api.Key.ToString() + " version " + string version)
                | ValueNone -> ()

            int (api.Versions.Highest - api.Versions.Lowest) + 1 }

[<Tests>]
let tests =
    testList
        "error responses of a script"
        [ testCase "can be written in the version of their request" (fun () ->
              let written = [ for code in 0s .. 92s -> Apis.visit ofDefault (ApiKey code) |> Option.defaultValue 0 ]
              Expect.isGreaterThan (List.sum written) 200 "the responses")

          testCase "of FindCoordinator have the code where the version has it" (fun () ->
              for version in FindCoordinator.api.Versions.Lowest .. FindCoordinator.api.Versions.Highest do
                  let isByKeys = version >= 4s

                  let request =
                      { FindCoordinator.api.Request.Schema.Default with
                          Key = (if isByKeys then "" else "g")
                          Keys = (if isByKeys then [ "g"; "h" ] else []) }

                  let response = ErrorResponses.create version (Request.FindCoordinator request) ErrorCode.NotCoordinator
                  isWritten version response ("version " + string version)

                  match response with
                  | Response.FindCoordinator found when isByKeys ->
                      Expect.equal
                          [ for one in found.Coordinators -> one.Key, one.Error ]
                          [ for key in request.Keys -> key, ErrorCode.NotCoordinator ]
                          "the codes"
                  | Response.FindCoordinator found -> Expect.equal found.Error ErrorCode.NotCoordinator "the code"
                  | other -> failtestf "%O" other) ]
