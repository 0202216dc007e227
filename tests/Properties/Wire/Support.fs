/// What the tests of wire and protocol share: how often a law is tried, and words for what is expected of a result.
module LibKafka.Properties.Support

open System
open System.Collections.Generic
open Expecto
open LibKafka.Wire

/// Whether a short run was asked for: fewer values for each law, everything else as ever.
let quick = Environment.GetEnvironmentVariable "LIBKAFKA_QUICK" = "1"

/// How many values a law is tried with.
let cases (usual: int) = if quick then max 1 (usual / 5) else usual

/// A law that is tried with so many values.
let law (usual: int) (name: string) (property: 'Property) =
    testPropertyWithConfig { FsCheckConfig.defaultConfig with maxTest = cases usual } name property

/// Whether the data are those of the checkout, and not others that the environment variable names.
let areOwn (variable: string) = String.IsNullOrEmpty(Environment.GetEnvironmentVariable variable)

/// The value, where there is no fault.
let ok (what: string) (result: Result<'T, Fault>) : 'T =
    match result with
    | Ok value -> value
    | Error fault -> failtestf "%s: %s" what (fault.ToString())

/// The fault, where there is one.
let refused (what: string) (result: Result<'T, Fault>) : Fault =
    match result with
    | Ok _ -> failtestf "%s: no fault" what
    | Error fault -> fault

/// Exactly this fault.
let faultsWith (problem: Problem) (offset: int) (path: string) (result: Result<'T, Fault>) =
    match result with
    | Ok _ -> failtestf "no fault where %s at byte %d was expected" (problem.ToString()) offset
    | Error fault -> Expect.equal fault { Problem = problem; Offset = offset; Path = path } "the fault"

/// Whether two values of any type are equal, by that type's own equality.
let same (left: 'T) (right: 'T) : bool = EqualityComparer<'T>.Default.Equals(left, right)

/// What an action gives, and how many bytes of memory this thread took for it.
let allocating (action: unit -> 'T) : 'T * int64 =
    let before = GC.GetAllocatedBytesForCurrentThread()
    let value = action ()
    value, GC.GetAllocatedBytesForCurrentThread() - before

/// The first few of many complaints, as one failure.
let noneOf (what: string) (complaints: string list) =
    match complaints with
    | [] -> ()
    | some -> failtestf "%d %s, the first of them:\n%s" some.Length what (some |> List.truncate 5 |> String.concat "\n")
