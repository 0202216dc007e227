/// Tail calls with spans, which there may not be. The compiler marks a call that a function ends with as a tail call. Where its arguments do
/// not all fit into registers, the runtime carries them to it through memory in which the garbage collector does not see spans: a collection
/// at that moment leaves them pointing at what was there before.
module LibKafka.Properties.TailCalls

open System
open System.IO
open System.Reflection
open System.Runtime.CompilerServices
open Expecto
open LibKafka.Wire
open LibKafka.Records

/// The methods that a method calls by calls that are marked as tail calls, and that take spans.
let private withSpans (method: MethodBase) : string list =
    let code =
        match method.GetMethodBody() with
        | null -> [||]
        | body -> body.GetILAsByteArray() |> Option.ofObj |> Option.defaultValue [||]

    let typeArguments =
        match method.DeclaringType with
        | null -> [||]
        | declaring -> declaring.GetGenericArguments()

    let methodArguments = if method.IsGenericMethod then method.GetGenericArguments() else [||]

    let target (token: int) =
        try
            method.Module.ResolveMethod(token, typeArguments, methodArguments) |> Option.ofObj
        with :? ArgumentException ->
            // No call, but a number or a string's token that looks like one.
            None

    let takesSpan (called: MethodBase) = called.GetParameters() |> Array.exists (fun parameter -> parameter.ParameterType.IsByRefLike)

    // The mark is 0xFE 0x14; a call is 0x28, a virtual one 0x6F, and a token of four bytes follows.
    [ for at in 0 .. code.Length - 8 do
          if code[at] = 0xFEuy && code[at + 1] = 0x14uy && (code[at + 2] = 0x28uy || code[at + 2] = 0x6Fuy) then
              match target (BitConverter.ToInt32(code, at + 3)) with
              | Some called when takesSpan called -> called.Name
              | _ -> () ]

let private everything =
    BindingFlags.Static
    ||| BindingFlags.Instance
    ||| BindingFlags.Public
    ||| BindingFlags.NonPublic
    ||| BindingFlags.DeclaredOnly

let private methods (declaring: Type) : MethodBase seq =
    Seq.append (declaring.GetMethods everything |> Seq.cast<MethodBase>) (declaring.GetConstructors everything |> Seq.cast<MethodBase>)

/// Takes a span in a way that the compiler knows nothing of.
[<AbstractClass>]
type private Taker() =
    abstract Take: span: ReadOnlySpan<byte> -> int

/// Functions that end with giving a span away. The compiler may not put them into others.
[<AbstractClass; Sealed>]
type private Enders =

    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member TryAdd(builder: BatchBuilder, value: byte[]) : bool = builder.TryAdd(0L, value, value)

    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member TryAddWithHeaders(builder: BatchBuilder, value: byte[], headers: RecordHeader[]) : bool =
        builder.TryAdd(0L, value, value, ReadOnlySpan<RecordHeader> headers)

    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member Add(builder: BatchBuilder, value: byte[]) : unit = builder.Add(0L, value, value)

    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member AddWithHeaders(builder: BatchBuilder, value: byte[], headers: RecordHeader[]) : unit =
        builder.Add(0L, value, value, ReadOnlySpan<RecordHeader> headers)

    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member OfSpan(value: byte[]) : Bytes = Bytes.ofSpan (ReadOnlySpan<byte> value)

    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member Compute(value: byte[]) : uint32 = Crc32C.compute (ReadOnlySpan<byte> value)

    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member Append(value: byte[]) : uint32 = Crc32C.append 0u (ReadOnlySpan<byte> value)

    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member ComputeOld(value: byte[]) : uint32 = Crc32.compute (ReadOnlySpan<byte> value)

    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member Murmur2(value: byte[]) : int32 = Partitioner.murmur2 (ReadOnlySpan<byte> value)

    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member OfKey(value: byte[]) : int = Partitioner.ofKey 3 (ReadOnlySpan<byte> value)

    /// One that does make such a call, where the compiler makes tail calls at all.
    [<MethodImpl(MethodImplOptions.NoInlining)>]
    static member Unguarded(taker: Taker, value: byte[]) : int = taker.Take(ReadOnlySpan<byte> value)

let private ofEnder (name: string) : string list = methods typeof<Enders> |> Seq.find (fun method -> method.Name = name) |> withSpans

[<Tests>]
let tests =
    testList
        "tail calls with spans"
        [ for name in
              [ "TryAdd"
                "TryAddWithHeaders"
                "Add"
                "AddWithHeaders"
                "OfSpan"
                "Compute"
                "Append"
                "ComputeOld"
                "Murmur2"
                "OfKey" ] do
              test ("are not made by a function that ends with it: " + name) { Expect.isEmpty (ofEnder name) "calls" }

#if !DEBUG
          test "are seen where there is one" { Expect.equal (ofEnder "Unguarded") [ "Take" ] "calls" }
#endif

          for path in Directory.GetFiles(AppContext.BaseDirectory, "LibKafka.*.dll") do
              let name = Path.GetFileNameWithoutExtension path

              if name <> typeof<Enders>.Assembly.GetName().Name then
                  test ("are nowhere in " + name) {
                      let found =
                          [ for declaring in Assembly.LoadFrom(path).GetTypes() do
                                for method in methods declaring do
                                    for called in withSpans method do
                                        declaring.Name + "." + method.Name + " calls " + called ]

                      Expect.isEmpty found "calls"
                  } ]
