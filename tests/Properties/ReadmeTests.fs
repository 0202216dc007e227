/// What the README files show is what is compiled.
module LibKafka.Properties.ReadmeTests

open System.IO
open Expecto
open LibKafka.Records
open LibKafka.Client
open LibKafka.Compression
open LibKafka.Dns
open LibKafka.Properties

/// The lines of the packages' READMEs that are not from a sample.
module private Lines =
    let compression (batch: RecordBatch) =
        let compressed = RecordBatch.compress (Zstd()) batch
        let records = RecordBatch.toList (Reading.withCodecs AllCodecs.Set) batch
        compressed, records

    let dns () =
        let brokers = Bootstrap.ofService (SrvLookUp()) "_kafka._tcp.example.com"
        brokers

let private read (path: string list) = File.ReadAllText(Path.Combine(TestData.checkout :: path |> Array.ofList)).ReplaceLineEndings "\n"

let private quotes (readme: string list) (samples: string list list) =
    testList
        (String.concat "/" readme)
        [ for sample in samples do
              test ("quotes " + String.concat "/" sample + " as it is") {
                  Expect.stringContains (read readme) ((read sample).TrimEnd()) "the sample's source stands in it"
              } ]

// The lines of the blocks of code in a README.
let private code (readme: string list) : string list =
    (read readme).Split "```"
    |> Seq.indexed
    |> Seq.filter (fun (index, _) -> index % 2 = 1)
    |> Seq.collect (fun (_, block) -> Seq.tail (block.Split '\n'))
    |> Seq.filter (fun line -> line.Trim() <> "")
    |> List.ofSeq

[<Tests>]
let tests =
    let samples = "samples"
    let topics = [ samples; "Topics" ]

    testList
        "README files"
        [ quotes
              [ "README.md" ]
              [ [ samples; "FSharp"; "Program.fs" ]
                [ samples; "CSharp"; "Program.cs" ]
                topics @ [ "FSharp"; "GroupMember.fs" ]
                topics @ [ "CSharp"; "GroupMember.cs" ]
                [ samples; "Testing"; "OrderTests.fs" ] ]
          quotes [ "src"; "Core"; "README.md" ] [ [ samples; "FSharp"; "Program.fs" ] ]
          quotes [ "src"; "LibKafka.CSharp"; "README.md" ] [ topics @ [ "CSharp"; "KeyedProducer.cs" ] ]
          quotes [ "src"; "LibKafka.Topics"; "README.md" ] [ topics @ [ "FSharp"; "GroupMember.fs" ] ]
          quotes [ "src"; "LibKafka.Testing"; "README.md" ] [ [ samples; "Testing"; "OrderTests.fs" ] ]

          for package in [ "LibKafka.Compression"; "LibKafka.Dns" ] do
              test $"{package}: its lines are compiled" {
                  let lines = code [ "src"; package; "README.md" ]
                  Expect.isNonEmpty lines "it shows code"

                  for line in lines do
                      Expect.stringContains (read [ "tests"; "Properties"; "ReadmeTests.fs" ]) line "the line"
              } ]
