module LibKafka.Properties.Program

open System.Buffers.Binary
open Expecto

[<Tests>]
let wireOrder =
    testProperty "the wire's integers are big-endian and survive a round trip" (fun (value: int) ->
        let bytes = Array.zeroCreate<byte> 4
        BinaryPrimitives.WriteInt32BigEndian(bytes, value)

        BinaryPrimitives.ReadInt32BigEndian bytes = value && bytes[0] = byte (value >>> 24))

[<EntryPoint>]
let main argv = runTestsInAssemblyWithCLIArgs [] argv
