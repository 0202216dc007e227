module LibKafka.Benchmarks.Program

open BenchmarkDotNet.Attributes
open BenchmarkDotNet.Configs
open BenchmarkDotNet.Jobs
open BenchmarkDotNet.Running
open BenchmarkDotNet.Toolchains.InProcess.Emit
open LibKafka.Benchmarks.Baseline

[<MemoryDiagnoser>]
type Varint() =
    let buffer = Array.zeroCreate<byte> 8

    [<Benchmark>]
    member _.Write() = Loops.WriteVarint(buffer, 0, 300)

/// In this process: for another one BenchmarkDotNet would generate a project and look for ours by the assembly's name.
let config =
    ManualConfig
        .Create(DefaultConfig.Instance)
        .AddJob(Job.ShortRun.WithToolchain InProcessEmitToolchain.Instance)
        .WithArtifactsPath("artifacts/benchmarks")

[<EntryPoint>]
let main names =
    let patterns = if Array.isEmpty names then [| "*" |] else names |> Array.map (fun name -> $"*{name}*")

    BenchmarkSwitcher.FromAssembly(typeof<Varint>.Assembly).Run(Array.append [| "--filter" |] patterns, config) |> ignore

    0
