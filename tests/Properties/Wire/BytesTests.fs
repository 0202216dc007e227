module LibKafka.Properties.Wire.BytesTests

open System
open Expecto
open LibKafka.Wire
open LibKafka.Properties.Support

/// The reference order: byte by byte, then the shorter first.
let rec private referenceOrder (left: byte list) (right: byte list) =
    match left, right with
    | [], [] -> 0
    | [], _ -> -1
    | _, [] -> 1
    | a :: left, b :: right -> if a = b then referenceOrder left right else compare a b

/// The same content in the middle of other bytes.
let private embedded (content: byte[]) = Bytes(ReadOnlyMemory(Array.concat [ [| 1uy; 2uy |]; content; [| 3uy |] ], 2, content.Length))

[<Tests>]
let tests =
    testList
        "Bytes"
        [ law 200 "are equal exactly if their content is, wherever it is in memory" (fun (left: byte[]) (right: byte[]) ->
              Bytes left = embedded left
              && (Bytes left).GetHashCode() = (embedded left).GetHashCode()
              && (Bytes left = Bytes right) = (List.ofArray left = List.ofArray right)
              && (Bytes left).Equals(box (Bytes right)) = (List.ofArray left = List.ofArray right))

          law 200 "are ordered byte by byte, a prefix first" (fun (left: byte[]) (right: byte[]) ->
              sign (compare (Bytes left) (embedded right)) = referenceOrder (List.ofArray left) (List.ofArray right))

          law 200 "a prefix is less than the whole, and bytes are unsigned" (fun (prefix: byte[]) (rest: byte[]) ->
              let low = Bytes(Array.append prefix [| 0x7Fuy |])
              let high = Bytes(Array.append prefix (Array.append [| 0x80uy |] rest))
              compare (Bytes prefix) low < 0 && compare low high < 0 && compare high low > 0)

          law 200 "round-trip through hexadecimal digits" (fun (content: byte[]) ->
              Bytes.ofHex (Bytes.toHex (Bytes content)) = Bytes content
              && Bytes.toHex (Bytes content) = (content |> Array.map _.ToString("x2") |> String.concat ""))

          law 200 "a slice equals a copy of that part" (fun (content: byte[]) (start: uint16) (count: uint16) ->
              let start = int start % (content.Length + 1)
              let count = int count % (content.Length - start + 1)
              (Bytes content).Slice(start, count) = Bytes(Array.sub content start count))

          testCase "a slice shares memory with the whole" (fun () ->
              let whole = Bytes [| 1uy .. 9uy |]
              Expect.isTrue (whole.Span.Overlaps((whole.Slice(3, 2)).Span)) "the spans overlap")

          testCase "a copy does not change with its source" (fun () ->
              let source = [| 1uy; 2uy; 3uy |]
              let ofArray = Bytes.ofArray source
              let ofSpan = Bytes.ofSpan (ReadOnlySpan source)
              let toArray = ofArray.ToArray()
              source[0] <- 9uy
              toArray[1] <- 9uy
              Expect.equal ofArray (Bytes [| 1uy; 2uy; 3uy |]) "ofArray and ToArray"
              Expect.equal ofSpan (Bytes [| 1uy; 2uy; 3uy |]) "ofSpan")

          testCase "bytes that were never set are empty" (fun () ->
              let unset = Unchecked.defaultof<Bytes>
              Expect.equal unset Bytes.empty "equal"
              Expect.equal (unset.GetHashCode()) (Bytes.empty.GetHashCode()) "hash"
              Expect.equal unset.Length 0 "length"
              Expect.equal (Bytes.segment unset).Count 0 "segment")

          testCase "bytes are not equal to something else, and come after it" (fun () ->
              Expect.isFalse ((Bytes [| 1uy |]).Equals(box [| 1uy |])) "an array is not Bytes"
              Expect.equal ((Bytes.empty :> IComparable).CompareTo "text") 1 "after anything else")

          testCase "text is converted to UTF-8 and back" (fun () ->
              Expect.equal (Bytes.toHex (Bytes.ofString "é😀")) "c3a9f09f9880" "UTF-8"
              Expect.equal (Bytes.toText (Bytes.ofString "é😀")) "é😀" "text"
              Expect.equal (Bytes.toText (Bytes.ofHex "61ff")) "a\uFFFD" "invalid UTF-8")

          testCase "the text of long bytes is truncated and has their length" (fun () ->
              Expect.equal ((Bytes(Array.create 32 0xABuy)).ToString()) (String.replicate 32 "ab") "32 bytes are complete"
              Expect.equal ((Bytes(Array.create 33 0xABuy)).ToString()) (String.replicate 32 "ab" + "… (33 bytes)") "33 are truncated") ]
