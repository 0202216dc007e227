/// The signatures of the C# façade, as laws that hold for every public member.
module LibKafka.Integration.FacadeSignatureTests

open System
open System.Collections.Generic
open System.Reflection
open System.Threading
open Expecto
open Microsoft.FSharp.Reflection
open LibKafka
open LibKafka.Protocol
open LibKafka.Records
open LibKafka.Wire

let private facade = typeof<KafkaException>.Assembly
let private core = typeof<Bytes>.Assembly
let private fsharpCore = typeof<unit list>.Assembly

/// A type and its parts: elements and type arguments.
let rec private parts (shape: Type) : Type list =
    match shape.GetElementType() with
    | null when shape.IsGenericType -> shape.GetGenericTypeDefinition() :: List.collect parts (List.ofArray (shape.GetGenericArguments()))
    | null -> [ shape ]
    | element -> parts element

/// The types in the public and protected members of a type, each with the member's name.
let private signature (declaring: Type) : (string * Type) list =
    let every =
        BindingFlags.Public
        ||| BindingFlags.NonPublic
        ||| BindingFlags.Instance
        ||| BindingFlags.Static
        ||| BindingFlags.DeclaredOnly

    let isSeen (it: MethodBase) = it.IsPublic || it.IsFamily || it.IsFamilyOrAssembly
    let parameters (it: MethodBase) = [ for parameter in it.GetParameters() -> it.Name, parameter.ParameterType ]

    // Members that the compiler generates: their names are not valid in C#.
    let isWritten (name: string) = not (name.Contains '<' || name.Contains '@')

    let bases =
        match declaring.BaseType with
        | null -> []
        | above -> [ "base", above ]

    bases
    @ [ for it in declaring.GetInterfaces() -> "interface", it ]
    @ [ for it in declaring.GetFields every do
            if it.IsPublic || it.IsFamily || it.IsFamilyOrAssembly then
                it.Name, it.FieldType ]
    @ [ for it in declaring.GetConstructors every do
            if isSeen it then yield! parameters it ]
    @ [ for it in declaring.GetMethods every do
            if isSeen it && isWritten it.Name then
                it.Name, it.ReturnType
                yield! parameters it
                for argument in it.GetGenericArguments() do
                    for bound in argument.GetGenericParameterConstraints() do
                        it.Name, bound ]
    @ [ for it in declaring.GetEvents every do
            match it.EventHandlerType with
            | null -> ()
            | handler -> it.Name, handler ]

let private isOfFSharp (shape: Type) =
    shape.Assembly = fsharpCore
    || FSharpType.IsUnion(shape, true)
    || FSharpType.IsFunction shape
    || FSharpType.IsExceptionRepresentation(shape, true)

let private nameOf (shape: Type) : string =
    match shape.FullName with
    | null -> shape.Name
    | name -> name

/// The members of a type that C# cannot use conveniently.
let private foreign (declaring: Type) : string list =
    [ for name, shape in signature declaring do
          for part in parts shape do
              if isOfFSharp part then nameOf declaring + "." + name + ": " + part.Name ]
    |> List.distinct

/// The types of the core that C# programs see: those in the signatures of the façade, and in turn those in their own signatures.
let private coreTypesInSight () : Type list =
    let rec reach (seen: Set<string>) (found: Type list) (pending: Type list) =
        match pending with
        | [] -> found
        | next :: rest when next.Assembly <> core || seen.Contains(nameOf next) -> reach seen found rest
        | next :: rest ->
            // The conversion from an option to a span is for F#. C# uses other conversions.
            let own = signature next |> List.filter (fun (name, _) -> name <> "op_Implicit")
            reach (seen.Add(nameOf next)) (next :: found) (List.collect (snd >> parts) own @ rest)

    facade.GetExportedTypes() |> List.ofArray |> List.collect signature |> List.collect (snd >> parts) |> reach Set.empty []

// ---- types ----

let private types =
    testList
        "types"
        [ testCase "no public signature of the façade has an F# type" (fun () ->
              let types = facade.GetExportedTypes()
              Expect.isGreaterThan types.Length 30 "the façade has been found"
              Expect.isEmpty (types |> List.ofArray |> List.collect foreign) "members that C# cannot use")

          testCase "nor does the public signature of any core type that the façade exposes" (fun () ->
              let types = coreTypesInSight ()

              for shown in
                  [ typeof<RecordBatch>; typeof<Record>; typeof<HeaderSlice>; typeof<ErrorCode>; typeof<Acks>; typeof<CodecBuffer> ] do
                  Expect.contains types shown "a type that the façade exposes"

              let members =
                  types
                  |> List.collect foreign
                  |> List.filter (fun it -> not (it.StartsWith "LibKafka.Records.NullableSpan.op_Implicit:"))
              Expect.isEmpty members "members that C# cannot use")

          testCase "the check of the signatures finds F# types" (fun () ->
              Expect.isNonEmpty (foreign typeof<RecordData>) "an option in a property"
              Expect.isNonEmpty (foreign typeof<Client.Fetched>) "a result in a property"
              Expect.isNonEmpty (foreign typeof<Client.ClientSettings>) "a function in a constructor"
              Expect.isNonEmpty (foreign typeof<Client.Connection>) "an option in a method"
              Expect.isNonEmpty (foreign (parts typeof<Client.ClientFault list>).Head) "a list")

          testCase "no name of the façade is ambiguous with one of the core" (fun () ->
              let inSight = set [ "LibKafka.Records"; "LibKafka.Protocol"; "LibKafka.Wire" ]

              let taken =
                  set
                      [ for it in core.GetExportedTypes() do
                            if not it.IsNested && inSight.Contains(string it.Namespace) then it.Name ]

              let own = set [ for it in facade.GetExportedTypes() -> it.Name ]
              Expect.isEmpty (Set.intersect own taken) "names that would be ambiguous")

          testCase "every type of the façade is in its own namespace" (fun () ->
              for it in facade.GetExportedTypes() do
                  Expect.equal it.Namespace "LibKafka" it.Name)

          testCase "a C# program needs no LibKafka.Client and no LibKafka.Topics" (fun () ->
              let clientTypes =
                  facade.GetExportedTypes()
                  |> List.ofArray
                  |> List.collect signature
                  |> List.collect (snd >> parts)
                  |> List.filter (fun it -> it.Namespace = "LibKafka.Client" || it.Namespace = "LibKafka.Topics")
                  |> List.map _.Name
                  |> List.distinct

              // A caller passes a look-up of LibKafka.Dns without naming its interface, or a function.
              Expect.equal clientTypes [ "ISrvLookUp" ] "types of the core's client") ]

// ---- calls ----

let private publicMethods: MethodInfo list =
    [ for it in facade.GetExportedTypes() do
          for found in it.GetMethods(BindingFlags.Public ||| BindingFlags.Instance ||| BindingFlags.Static ||| BindingFlags.DeclaredOnly) do
              if not found.IsSpecialName then found ]

let private isResult (shape: Type) = typeof<KafkaResult>.IsAssignableFrom shape

/// The methods that call a broker: they return a result, and are not methods of one.
let private calls =
    publicMethods |> List.filter (fun it -> isResult it.ReturnType && not (isResult (nonNull it.DeclaringType)))

let private parameterTypes (found: MethodInfo) = found.GetParameters() |> Array.map (fun it -> string it.ParameterType) |> List.ofArray

let private lastOf (found: MethodInfo) = found.GetParameters() |> Array.last |> _.ParameterType

let private callLaws =
    testList
        "calls"
        [ testCase "each call has two overloads, with a token and with the options of the call" (fun () ->
              Expect.isGreaterThan calls.Length 60 "the calls"
              let ofKind last = calls |> List.filter (fun it -> lastOf it = last)
              let withToken, withOptions = ofKind typeof<CancellationToken>, ofKind typeof<CallOptions>
              Expect.equal (withToken.Length + withOptions.Length) calls.Length "every call takes a token or options last"

              let key (found: MethodInfo) =
                  let types = parameterTypes found
                  string found.DeclaringType, found.Name, List.take (types.Length - 1) types

              Expect.equal (withToken |> List.map key |> set) (withOptions |> List.map key |> set) "in pairs")

          testCase "every result has a ThrowIfError" (fun () ->
              for it in facade.GetExportedTypes() do
                  if isResult it && not it.IsAbstract then
                      Expect.isNotNull (it.GetMethod("ThrowIfError", Type.EmptyTypes)) it.Name) ]

// ---- unions ----

/// The classes of the façade that derive from a type, without those in between.
let private classesOf (above: Type) : int =
    facade.GetExportedTypes() |> Array.filter (fun it -> not it.IsAbstract && above.IsAssignableFrom it) |> Array.length

let private casesOf (union: Type) : int = (FSharpType.GetUnionCases union).Length

let private unions =
    testList
        "every case of a union of whole topics has"
        [ for union, kinds in
              [ typeof<Topics.UndeliveredReason>, typeof<UndeliveredReason>
                typeof<Topics.CommitOutcome>, typeof<CommitStatus>
                typeof<Topics.GroupFailure>, typeof<GroupFailureKind>
                typeof<Topics.LossReason>, typeof<LossReason> ] do
              testCase ("a value in the façade: " + union.Name) (fun () ->
                  Expect.equal (Enum.GetValues kinds).Length (casesOf union) kinds.Name)

          testCase "a class in the façade: the events" (fun () ->
              Expect.equal (classesOf typeof<ProducerEvent>) (casesOf typeof<Topics.ProducerEvent>) "of a producer"
              Expect.equal (classesOf typeof<ConsumerEvent>) (casesOf typeof<Topics.ConsumerEvent>) "of a consumer"
              // An event about a partition, or about a group, is one case of the other events.
              let ofGroup = casesOf typeof<Topics.ConsumerEvent> + casesOf typeof<Topics.GroupEvent> - 1
              Expect.equal (classesOf typeof<GroupEvent>) ofGroup "of a group"
              Expect.equal (classesOf typeof<ExactlyOnceEvent>) (ofGroup + casesOf typeof<Topics.ExactlyOnceEvent> - 1) "of exactly once") ]

[<Tests>]
let tests = testList "façade, signatures" [ types; callLaws; unions ]
