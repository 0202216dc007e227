/// A member of a group with Confluent.Kafka in a process of its own, which can be killed.
module LibKafka.Integration.ForeignMember

open System
open System.Collections.Generic
open System.Diagnostics
open System.Reflection
open Confluent.Kafka
open LibKafka.Integration.Support

/// The first argument of a process that is such a member instead of running tests.
[<Literal>]
let private Command = "confluent-member"

// Prints each record before and after its commit.
let private read (config: ConsumerConfig) (topic: string) =
    use consumer = ConsumerBuilder<byte[], string>(config).Build()
    consumer.Subscribe topic

    while true do
        match consumer.Consume(ms 100) with
        | null -> ()
        | result ->
            printfn "read %s" result.Message.Value
            consumer.Commit result
            printfn "committed %s" result.Message.Value

/// Runs the member until it is killed, if the arguments of this process are those of a member.
let tryRun (arguments: string list) : int option =
    match arguments with
    | [ Command; bootstrap; topic; group; session ] ->
        let config =
            ConsumerConfig(
                BootstrapServers = bootstrap,
                GroupId = group,
                EnableAutoCommit = false,
                AutoOffsetReset = AutoOffsetReset.Earliest
            )

        if session = "" then
            config.GroupProtocol <- Nullable GroupProtocol.Consumer
        else
            config.SessionTimeoutMs <- Nullable(int session)
            config.HeartbeatIntervalMs <- Nullable 200
            config.PartitionAssignmentStrategy <- Nullable PartitionAssignmentStrategy.CooperativeSticky

        read config topic
        Some 0
    | _ -> None

/// The process of a member of a classic group with this session time-out, or of a group of the new protocol.
type ForeignMember(bootstrap: string, topic: string, group: string, session: TimeSpan option) =
    let printed = List<string>()

    let start =
        let session = session |> Option.map (fun session -> string (int session.TotalMilliseconds)) |> Option.defaultValue ""
        ProcessStartInfo(
            "dotnet",
            [ Assembly.GetExecutingAssembly().Location; Command; bootstrap; topic; group; session ],
            RedirectStandardOutput = true
        )

    let running = nonNull (Process.Start start)

    do
        running.OutputDataReceived.Add(fun event ->
            match event.Data with
            | null -> ()
            | line -> lock printed (fun () -> printed.Add line))

        running.BeginOutputReadLine()

    let values (prefix: string) : string list =
        lock printed (fun () ->
            [ for line in printed do
                  if line.StartsWith prefix then line.Substring prefix.Length ])

    /// The records that it has read, in order.
    member _.Read = values "read "

    /// The records that it has committed.
    member _.Committed = values "committed "

    /// Ends it with SIGKILL.
    member _.Kill() =
        running.Kill()
        running.WaitForExit()

    interface IDisposable with
        member this.Dispose() =
            if not running.HasExited then this.Kill()
            running.Dispose()
