/// The versions that the brokers of each Kafka release report.
module LibKafka.Integration.Releases

open LibKafka.Protocol
open LibKafka.Properties

/// The table of each release, by its name and the mode of the cluster: `2.8.0 zk`, `2.8.0 kraft`.
let tables: (string * ApiVersions.ApiVersion list) list =
    TestData.tsvRows TestData.releases "releases.tsv.gz"
    |> List.groupBy (fun row -> row["release"] + " " + row["mode"])
    |> List.map (fun (release, rows) ->
        release, [ for row in rows -> Script.versions (ApiKey(int16 row["key"])) (int row["min"]) (int row["max"]) ])

/// The table of one release.
let table (release: string) : ApiVersions.ApiVersion list = tables |> List.find (fun (name, _) -> name = release) |> snd
