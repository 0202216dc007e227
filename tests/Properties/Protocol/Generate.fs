/// Values of any message, made by asking its definition for its parts. Each part is drawn from a list of numbers, so that making the list
/// shorter and its numbers smaller makes the value simpler: nothing but zeros gives defaults, no elements and empty texts.
module LibKafka.Properties.Protocol.Generate

open System
open FsCheck
open FsCheck.FSharp
open LibKafka.Wire

let private letters count = String.replicate count "x"

/// Texts that are likely to reveal faults: empty, not ASCII, NUL, and those at both sides of the length from which on a compact length takes
/// a second byte.
let private texts =
    [| ""
       "a"
       "orders"
       "héllo"
       "日本語"
       "😀🚀"
       "\u0000nul"
       "\uFFFF\u200F"
       "tab\t\"quoted\"\\"
       letters 125
       letters 126
       letters 127
       letters 128
       // 126 and 128 bytes.
       String.replicate 63 "é"
       String.replicate 64 "é" |]

let private blobSizes = [| 0; 1; 3; 20; 125; 126; 127; 128 |]

// Without NaN, which does not equal itself: no law of equality holds for it.
let private floats =
    [| 0.0; -0.0; 1.5; Double.MinValue; Double.MaxValue; Double.Epsilon; Double.PositiveInfinity; Double.NegativeInfinity |]

/// The most elements that a value's arrays have together, so that a value stays small however deep its arrays are.
let private mostElements = 40

/// Makes the parts of a value from a list of numbers. After the end of the list come zeros.
type ChoiceSource(choices: int64[]) =
    inherit Source()
    let mutable next = 0
    let mutable room = mostElements

    let draw () =
        if next < choices.Length then
            next <- next + 1
            choices[next - 1]
        else
            0L

    let below (count: int) (choice: int64) = int (uint64 choice % uint64 count)

    // Of eight fields, how many are left at their default: hardly any, about half, or nearly all. The last makes values that old versions
    // can carry.
    let skipped = [| 0L; 3L; 6L |][below 3 (draw ())]

    override _.Bool() = draw () &&& 1L = 1L

    override _.Integer(lowest, highest) =
        let choice = draw ()
        let within value = max lowest (min highest value)

        match choice &&& 7L with
        | 0L
        | 1L -> within ((choice >>> 3) % 200L)
        | 2L -> within -1L
        | 3L -> lowest
        | 4L -> highest
        | _ when lowest = Int64.MinValue -> choice
        | _ -> lowest + int64 (uint64 choice % uint64 (highest - lowest + 1L))

    override _.Float64() =
        let choice = draw ()

        if choice &&& 1L = 0L then
            floats[below floats.Length (choice >>> 1)]
        else
            let value = BitConverter.Int64BitsToDouble choice
            if Double.IsNaN value then 0.1 else value

    override _.Uuid() =
        match draw () with
        | 0L -> Guid.Empty
        | choice -> Guid(int choice, int16 (choice >>> 32), int16 (choice >>> 48), BitConverter.GetBytes(choice * 31L))

    override _.String() =
        let choice = draw ()

        if choice &&& 3L = 3L then
            String.init (below 12 (choice >>> 2)) (fun i -> string (char (32 + below 95 ((choice >>> 6) + int64 i * 7L))))
        else
            texts[below texts.Length (choice >>> 2)]

    override _.Bytes() =
        let choice = draw ()
        Bytes(Array.init blobSizes[below blobSizes.Length choice] (fun i -> byte ((choice >>> 3) + int64 i * 31L)))

    override _.IsNull() = draw () &&& 3L = 0L
    override _.BeginStruct() = ()
    override _.EndStruct() = ()
    override _.BeginField _ = (draw () &&& 7L) > skipped
    override _.EndField() = ()

    override _.BeginArray() =
        let choice = draw ()
        // Usually few elements, sometimes many.
        let most = if choice &&& 15L = 15L then 12 else 3
        let count = min room (below (most + 1) (choice >>> 4))
        room <- room - count
        count

    override _.BeginElement _ = ()
    override _.EndElement() = ()
    override _.EndArray() = ()

/// A value with fields of all versions of the message, so more than any one version can carry.
let build (message: Message<'T>) (choices: int64[]) : 'T = (message.Schema.At MessageVersion.Every).Build(ChoiceSource choices)

/// A value of a message and the numbers that it was drawn from.
[<Sealed>]
type Drawn<'T>(message: Message<'T>, choices: int64[]) =
    let value = build message choices
    member _.Choices = choices
    member _.Value = value
    override _.ToString() = Message.show message value

/// Any number, the large ones as likely as the small ones.
let private number: Gen<int64> =
    Gen.map2 (fun (number: int64) shift -> number >>> shift) (Gen.choose64 (Int64.MinValue, Int64.MaxValue)) (Gen.choose (0, 63))

/// As many numbers as the size allows.
let numbers: Gen<int64[]> =
    Gen.sized (fun size -> gen {
        let! count = Gen.choose (0, 4 * size + 4)
        return! Gen.arrayOfLength count number
    })

let private without start count (items: 'A[]) = Array.append (Array.take start items) (Array.skip (start + count) items)

/// Shorter lists, the shortest first, then lists with a smaller number in them.
let shrinkNumbers (choices: int64[]) : int64[] seq = seq {
    let halves = List.unfold (fun size -> if size = 0 then None else Some(size, size / 2)) choices.Length

    for size in halves do
        for start in 0..size .. choices.Length - size do
            yield without start size choices

    for i in 0 .. choices.Length - 1 do
        for smaller in List.distinct [ 0L; choices[i] &&& 7L; choices[i] / 2L ] do
            if smaller <> choices[i] then yield Array.updateAt i smaller choices
}

/// Values of a message.
let valuesOf (message: Message<'T>) : Arbitrary<Drawn<'T>> =
    let draw choices = Drawn(message, choices)
    Arb.fromGenShrink (Gen.map draw numbers, (fun drawn -> shrinkNumbers drawn.Choices |> Seq.map draw))
