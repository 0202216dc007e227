/// The records that are encoded and decoded, the same in every run.
module LibKafka.Benchmarks.Shapes

open System
open LibKafka.Wire
open LibKafka.Records
open LibKafka.Benchmarks.Baseline

/// The number of records in a batch.
[<Literal>]
let Count = 1000

/// The records of one batch, in memory as a caller has them: every key, value and header in a separate array.
type Shape =
    {
        Name: string
        /// For the straightforward loop.
        Inputs: Input[]
        /// The same headers in the form that our builder takes.
        Headers: RecordHeader[][]
    }

/// Text like that of logs: words from a few hundred. The content matters only to codecs.
let private text (random: Random) : int -> byte[] =
    let letter _ = char (int 'a' + random.Next 26)
    let words = Array.init 300 (fun _ -> String(Array.init (2 + random.Next 8) letter))

    fun size ->
        let builder = Text.StringBuilder()

        while builder.Length < size do
            builder.Append(words[random.Next words.Length]).Append ' ' |> ignore

        Text.Encoding.ASCII.GetBytes(builder.ToString(0, size))

let private make name (count: int) (keySize: int option) valueSize headerCount : Shape =
    let bytes = text (Random 1)

    let header index = Header(Text.Encoding.UTF8.GetBytes $"header-{index}", bytes 16)

    // One record per millisecond, so that timestamp deltas are short but not all equal.
    let input index =
        let key = keySize |> Option.map bytes |> Option.toObj
        Input(1_700_000_000_000L + int64 index, key, bytes valueSize, Array.init headerCount header)

    let ours (header: Header) : RecordHeader = { Key = Bytes header.Key; Value = ValueSome(Bytes header.Value) }
    let inputs = Array.init count input
    { Name = name; Inputs = inputs; Headers = inputs |> Array.map (fun input -> Array.map ours input.Headers) }

let private all =
    lazy
        ([ make "a" Count (Some 16) 100 0; make "b" Count None 1000 0; make "c" Count (Some 16) 100 2 ]
         |> List.map (fun shape -> shape.Name, shape)
         |> Map.ofList)

/// Descriptions of the shapes.
let legend =
    [ "a: 16-byte key, 100-byte value"
      "b: no key, 1,000-byte value"
      "c: as a, with 2 headers of 8-byte key and 16-byte value" ]

let names = [ "a"; "b"; "c" ]

let byName (name: string) : Shape = all.Value[name]

/// Values of a size without keys, as many as fit into a batch of 1 MB.
let ofSize (valueSize: int) : Shape = make $"{valueSize} B" (min Count (1_000_000 / (valueSize + 10))) None valueSize 0
