/// The test broker answers recorded requests as the real brokers did.
module LibKafka.Properties.Testing.ReplayTests

open Expecto
open LibKafka.Properties
open LibKafka.Properties.Testing.Replay

/// The scenarios with responses that differ from those of the real broker, and how many. All other scenarios have none.
let private known: Map<string, int> =
    Map
        [ // The recorded broker had no offsets topic yet, or another address.
          "h3", 1
          "e7", 3
          // An empty group id or transactional id, in releases that look for the coordinator first.
          "g1.0.2.3", 5
          "g2.3.0.3", 2
          // Transactions that begin while the markers of the last one are written, and the times at which they did.
          "b1", 11
          "b3", 6
          "b7", 8
          "b11", 5
          "b13", 13
          "b19", 7
          "b23", 5
          "b25", 12
          "b31", 7
          "b33", 5
          "g1.0.2.17", 5
          "g2.3.0.17", 7
          // The nonces of SCRAM are random, and throttle times depend on the moment at which a broker read a request.
          "h13", 1
          "h17", 3
          "h18", 1
          "a1", 3
          "a5", 1
          "g2.3.0.21", 4
          "g1.0.2.29", 3
          "g1.0.2.30", 1
          "g2.3.0.29", 1
          "g1.0.2.21", 4
          // Only the throttle times differ.
          "a9", 5
          "a11", 7
          "a3", 5
          "a13", 12
          "a7", 6
          "a15", 17
          "a17", 2
          "a19", 1
          // Fetches of old formats end at another batch, and old releases refuse some batches with other codes.
          "g2.3.0.7", 31
          "g2.3.0.9", 18
          "g1.0.2.15", 3
          "g2.3.0.13", 4
          "g1.0.2.5", 21
          "g1.0.2.7", 15
          "g1.0.2.9", 9
          "g1.0.2.13", 1
          "g2.3.0.43", 2
          "g1.0.2.43", 2
          // Logs have no segments yet, at whose ends a fetch ends.
          "c1", 1
          "c3", 1
          "d19", 1
          // The time at which a broker did something by itself is not in the recording, or another scenario ran at the same time.
          "e3", 1
          "e9", 3
          "e11", 1
          "e17", 2
          "e19", 1
          "b5", 2
          "b15", 3
          "b17", 2
          "b27", 2
          "e23", 1
          "i27", 4 ]

let private differences (scenario: string, exchanges) =
    let comparisons = replay scenario exchanges
    scenario, comparisons |> List.filter (fun it -> it.Verdict = Verdict.Different)

let private cut (text: string) = if text.Length > 600 then text.Substring(0, 600) + "…" else text

let private described (comparison: Comparison) =
    sprintf "%O\n  recorded %s\n  answered %s" comparison.Exchange (cut comparison.Recorded) (cut comparison.Answered)

[<Tests>]
let tests =
    testList
        "replay"
        [ testCase "recorded conversations get the recorded responses" (fun () ->
              let found = scenarios.Value |> Array.ofList |> Array.Parallel.map differences

              // Other recordings have other scenarios, of which there are no numbers.
              if TestData.areOwn "LIBKAFKA_CAPTURES" then
                  let expected scenario = known.TryFind(idOf scenario) |> Option.defaultValue 0

                  let changed =
                      [ for scenario, different in found do
                            if different.Length <> expected scenario then
                                let first = different |> List.tryHead |> Option.map described |> Option.defaultValue ""
                                sprintf "%s: %d differ, not %d\n%s" scenario different.Length (expected scenario) first ]

                  Expect.isEmpty changed (String.concat "\n" changed)) ]
