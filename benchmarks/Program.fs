module LibKafka.Benchmarks.Program

open BenchmarkDotNet.Attributes
open BenchmarkDotNet.Running
open LibKafka.Benchmarks.Baseline

[<MemoryDiagnoser>]
type Varint() =
    let buffer = Array.zeroCreate<byte> 8

    [<Benchmark>]
    member _.Write() = Loops.WriteVarint(buffer, 0, 300)

[<EntryPoint>]
let main argv =
    BenchmarkSwitcher.FromAssembly(typeof<Varint>.Assembly).Run argv |> ignore
    0
