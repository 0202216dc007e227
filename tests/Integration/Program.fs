module LibKafka.Integration.Program

open Expecto

[<Tests>]
let nativeLibrary = test "the native library of the foreign peer loads on this machine" {
    Expect.stringContains (LibKafka.MockCluster.NativeLibrary.version ()) "2.16" "librdkafka's version"
}

[<EntryPoint>]
let main argv = runTestsInAssemblyWithCLIArgs [] argv
