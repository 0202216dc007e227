/// What the README shows is what is compiled.
module LibKafka.Properties.ReadmeTests

open System.IO
open Expecto
open LibKafka.Properties

let private read (path: string list) = File.ReadAllText(Path.Combine(TestData.checkout :: path |> Array.ofList)).ReplaceLineEndings "\n"

[<Tests>]
let tests =
    testList
        "the README"
        [ for sample in
              [ [ "samples"; "FSharp"; "Program.fs" ]
                [ "samples"; "CSharp"; "Program.cs" ]
                [ "samples"; "Topics"; "FSharp"; "GroupMember.fs" ]
                [ "samples"; "Topics"; "CSharp"; "GroupMember.cs" ]
                [ "samples"; "Testing"; "OrderTests.fs" ] ] do
              test ("quotes " + String.concat "/" sample + " as it is") {
                  Expect.stringContains (read [ "README.md" ]) ((read sample).TrimEnd()) "the sample's source stands in the README"
              } ]
