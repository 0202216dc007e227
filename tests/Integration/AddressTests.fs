/// The text forms of addresses.
module LibKafka.Integration.AddressTests

open Expecto
open LibKafka.Client

let private good =
    [ "kafka-1:9092", "kafka-1", 9092
      "10.0.0.1:1", "10.0.0.1", 1
      "a.b.example:65535", "a.b.example", 65535
      "[::1]:9092", "::1", 9092
      "[fe80::1%eth0]:9092", "fe80::1%eth0", 9092 ]

let private bad =
    [ ""
      " "
      ":"
      "kafka-1:"
      ":9092"
      "kafka-1:0"
      "kafka-1:65536"
      "kafka-1:-1"
      "kafka-1:+9092"
      "kafka-1: 9092"
      "kafka-1:9092x"
      "kafka-1:0x10"
      "kafka-1:99999999999"
      "::1"
      "::1:9092"
      "[::1]:"
      "[::1]9092"
      "kafka 1:9092"
      "kafka-1/a:9092"
      "[]:9092"
      "[kafka-1]:9092"
      "PLAINTEXT://kafka-1:9092" ]

[<Tests>]
let tests =
    testList
        "broker address"
        [ for text, host, port in good do
              testCase ("'" + text + "' is read, and written the same") (fun () ->
                  Expect.equal (BrokerAddress.parse text) (Ok { Host = host; Port = port }) "read"
                  Expect.equal (BrokerAddress.parse (" " + text + " ")) (Ok { Host = host; Port = port }) "read with space around"
                  Expect.equal ({ Host = host; Port = port }.ToString()) text "written")

          for text in bad do
              testCase ("'" + text + "' is no address, and the reason names it") (fun () ->
                  match BrokerAddress.parse text with
                  | Ok address -> failtestf "it was read as %O" address
                  | Error reason -> Expect.stringContains reason ("'" + text.Trim() + "'") "the reason")

          for text, host in [ "kafka-1", "kafka-1"; "10.0.0.1", "10.0.0.1"; "[::1]", "::1"; " kafka-1 ", "kafka-1" ] do
              testCase ("'" + text + "' has Kafka's usual port") (fun () ->
                  Expect.equal (BrokerAddress.parse text) (Ok { Host = host; Port = 9092 }) "read")

          testCase "a list may have blanks, empty entries and hosts without ports" (fun () ->
              let a, b = { Host = "a"; Port = 1 }, { Host = "b"; Port = 2 }

              for text in [ "a:1, b:2, "; "a:1,b:2"; " ,a:1,, b:2,\t"; "a:1,\n b:2\n" ] do
                  Expect.equal (BrokerAddress.parseList text) (Ok [ a; b ]) ("'" + text + "'")

              let usual host = { Host = host; Port = 9092 }
              Expect.equal (BrokerAddress.parseList "a,b:2,[::1]") (Ok [ usual "a"; b; usual "::1" ]) "ports left out")

          testCase "a list is read in order" (fun () ->
              let expected = [ { Host = "a"; Port = 1 }; { Host = "::1"; Port = 2 }; { Host = "a"; Port = 1 } ]
              Expect.equal (BrokerAddress.parseList "a:1,[::1]:2,a:1") (Ok expected) "plain"
              Expect.equal (BrokerAddress.parseList " a:1 , [::1]:2,a:1,") (Ok expected) "with spaces, and a comma at the end")

          testCase "one bad address makes a list bad, and the reason names it" (fun () ->
              match BrokerAddress.parseList "a:1,b:x,c:3" with
              | Ok _ -> failtest "it was read"
              | Error reason -> Expect.stringContains reason "'b:x'" "the reason")

          testCase "a list without addresses is bad" (fun () ->
              for text in [ ""; ","; " " ] do
                  Expect.isError (BrokerAddress.parseList text) ("'" + text + "'"))

          testCase "a partition is written as topic and number" (fun () ->
              Expect.equal ({ Topic = "a-b"; Partition = 3 }.ToString()) "a-b-3" "written") ]
