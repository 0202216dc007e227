/// Shared by all property tests: laws, and expectations on results.
module LibKafka.Properties.Support

open System
open System.Collections.Generic
open Expecto
open LibKafka.Cases
open LibKafka.Wire

/// A law, checked with so many values.
let law (usual: int) (name: string) (property: 'Property) =
    testPropertyWithConfig { FsCheckConfig.defaultConfig with maxTest = cases usual } name property

/// The value; a fault fails the test.
let ok (what: string) (result: Result<'T, Fault>) : 'T =
    match result with
    | Ok value -> value
    | Error fault -> failtestf "%s: %s" what (fault.ToString())

/// The fault; a value fails the test.
let refused (what: string) (result: Result<'T, Fault>) : Fault =
    match result with
    | Ok _ -> failtestf "%s: no fault" what
    | Error fault -> fault

/// Expects exactly this fault.
let faultsWith (problem: Problem) (offset: int) (path: string) (result: Result<'T, Fault>) =
    match result with
    | Ok _ -> failtestf "no fault, but expected at byte %d: %s" offset (problem.ToString())
    | Error fault -> Expect.equal fault { Problem = problem; Offset = offset; Path = path } "the fault"

/// Whether two values are equal by the equality of their type.
let same (left: 'T) (right: 'T) : bool = EqualityComparer<'T>.Default.Equals(left, right)

/// The result of an action, and the number of bytes that this thread allocated for it.
let allocating (action: unit -> 'T) : 'T * int64 =
    let before = GC.GetAllocatedBytesForCurrentThread()
    let value = action ()
    value, GC.GetAllocatedBytesForCurrentThread() - before

/// Fails with the first few complaints, if there are any.
let noneOf (what: string) (complaints: string list) =
    match complaints with
    | [] -> ()
    | some -> failtestf "%d %s, the first of them:\n%s" some.Length what (some |> List.truncate 5 |> String.concat "\n")
