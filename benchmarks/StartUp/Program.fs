/// Does one task and ends: nothing, one message, or a message of every API. Its cost is measured from outside; with `report` after the task
/// it prints the milliseconds of processor time that it took and the number of methods that were compiled.
module LibKafka.StartUp.Program

open System
open System.Runtime
open System.Runtime.CompilerServices
open LibKafka.Wire
open LibKafka.Protocol

/// The number of bytes encoded.
let private demand (result: Result<Bytes, Fault>) : int =
    match result with
    | Ok bytes when bytes.Length > 0 -> bytes.Length
    | Ok _ -> raise (InvalidOperationException "nothing was encoded")
    | Error fault -> raise (InvalidOperationException(fault.ToString()))

// Not inlined, so that a run that does nothing does not load their dependencies.

[<MethodImpl(MethodImplOptions.NoInlining)>]
let private one () =
    let request: Metadata.Request =
        { Metadata.request.Default with
            Topics = Some [ { TopicId = Guid.Empty; Name = Some "orders" } ]
            AllowAutoTopicCreation = false
            IncludeTopicAuthorizedOperations = true }

    demand (Frame.encodeRequest Metadata.api Metadata.api.Versions.Highest 7 (Some "start-up") request)

[<MethodImpl(MethodImplOptions.NoInlining)>]
let private all () =
    let both =
        { new IApiVisitor<int> with
            member _.Visit(api, _, _) =
                let version = api.Versions.Highest

                demand (Frame.encodeRequest api version 7 None api.Request.Schema.Default)
                + demand (Frame.encodeResponse api version 7 api.Response.Schema.Default) }

    Apis.keys |> List.sumBy (fun key -> Option.defaultValue 0 (Apis.visit both key))

[<MethodImpl(MethodImplOptions.NoInlining)>]
let private report () =
    let taken = Environment.CpuUsage.TotalTime.TotalMilliseconds
    let compiled = JitInfo.GetCompiledMethodCount false
    Console.Out.WriteLine(taken.ToString(Globalization.CultureInfo.InvariantCulture) + " " + compiled.ToString())

let private perform (task: string) : bool =
    match task with
    | "nothing" -> true
    | "one" -> one () > 0
    | "all" -> all () > 0
    | _ -> false

[<EntryPoint>]
let main arguments =
    match arguments with
    | [| task |] when perform task -> 0
    | [| task; "report" |] when perform task ->
        report ()
        0
    | _ -> 2
