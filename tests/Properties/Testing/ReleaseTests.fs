/// The versions that the test broker supports as a release of Kafka.
module LibKafka.Properties.Testing.ReleaseTests

open System
open Expecto
open LibKafka.Testing
open LibKafka.Properties

/// The rows of the table that was read from the releases themselves, by release. Releases that had both kinds of clusters are those with
/// ZooKeeper.
let private published: Map<string, Set<int16 * int16 * int16>> =
    [ for row in TestData.tsvRows TestData.releases "releases.tsv.gz" do
          let isZooKeeper = not (row["release"].StartsWith("4.", StringComparison.Ordinal))

          if isZooKeeper = (row["mode"] = "zk") then
              row["release"], (Int16.Parse row["key"], Int16.Parse row["min"], Int16.Parse row["max"]) ]
    |> List.groupBy fst
    |> List.map (fun (release, rows) -> release, rows |> List.map snd |> Set.ofList)
    |> Map.ofList

[<Tests>]
let tests =
    testList
        "releases of the test broker"
        [ testCase "each release reports the versions that it reports in reality" (fun () ->
              Expect.equal published.Count 67 "the releases"

              for KeyValue(name, rows) in published do
                  let apis = Release.apis (Release.parse name)
                  Expect.equal (Set.ofList [ for range in apis -> range.Key.Code, range.Lowest, range.Highest ]) rows name
                  Expect.equal ((Release.parse name).ToString()) name "the name")

          testCase "a minor release is its last patch release" (fun () ->
              Expect.equal (Release.parse "2.6") (Release.parse "2.6.3") "2.6"
              Expect.equal (Release.parse "4.3") Release.newest "4.3")

          testCase "what is not a release is refused" (fun () ->
              for text in [ ""; "4"; "4.9"; "2.8.9"; "1.0.-1"; "0.11"; "x.y"; "2.8.1.0" ] do
                  Expect.isNone (Release.tryParse text) text
                  Expect.throwsT<ArgumentException> (fun () -> Release.parse text |> ignore) text) ]
