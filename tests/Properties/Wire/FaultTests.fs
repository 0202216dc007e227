module LibKafka.Properties.Wire.FaultTests

open Expecto
open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Properties.Support
open LibKafka.Properties.Wire.Sample

type private Leaf = { Id: int32; Data: Bytes option; Extra: string }

let private leaf = message {
    let! id = field "Id" _.Id int32
    and! data = field "Data" _.Data (bytes |> nullable)
    and! extra = field "Extra" _.Extra (string |> since 1s "" |> tagged 0)

    return { Id = id; Data = data; Extra = extra }
}

type private Branch = { Name: string; Leaves: Leaf list }

let private branch = message {
    let! name = field "Name" _.Name string
    and! leaves = field "Leaves" _.Leaves (array leaf)
    return { Name = name; Leaves = leaves }
}

type private Tree = { Branches: Branch list; Crown: Leaf option }

let private tree = message {
    let! branches = field "Branches" _.Branches (array branch)
    and! crown = field "Crown" _.Crown (leaf |> nullable)
    return { Branches = branches; Crown = crown }
}

let private leafOf id = { Id = id; Data = Some(Bytes.ofHex "aabb"); Extra = "" }

/// Two branches with two leaves each, and a crown.
let private whole =
    { Branches = [ { Name = "a"; Leaves = [ leafOf 1; leafOf 2 ] }; { Name = "b"; Leaves = [ leafOf 3; leafOf 4 ] } ]
      Crown = Some(leafOf 5) }

let private wholeHex = encodeAt classic tree whole |> ok "encode"

/// Decodes the first `count` bytes.
let private cut count = decodeAt classic tree (wholeHex.Substring(0, count * 2))

let private change (index: int) (change: Leaf -> Leaf) =
    { whole with
        Branches =
            whole.Branches
            |> List.mapi (fun i branch ->
                if i = 1 then
                    { branch with Leaves = branch.Leaves |> List.mapi (fun j leaf -> if j = index then change leaf else leaf) }
                else
                    branch) }

[<Tests>]
let tests =
    testList
        "Faults"
        [ testCase "a fault in reading has the path and the offset of the value" (fun () ->
              // The count of branches takes 4 bytes, a branch 2 + 1 + 4, and each of its leaves 10. The second branch starts at 31.
              cut 2 |> faultsWith (Problem.Truncated(4L, 2)) 0 "Sample/Branches"
              cut 5 |> faultsWith (Problem.CountTooLarge(2L, 0L)) 4 "Sample/Branches"
              cut 33 |> faultsWith (Problem.Truncated(1L, 0)) 33 "Sample/Branches[1]/Name"
              cut 36 |> faultsWith (Problem.Truncated(4L, 2)) 34 "Sample/Branches[1]/Leaves"
              cut 50 |> faultsWith (Problem.CountTooLarge(2L, 1L)) 38 "Sample/Branches[1]/Leaves"
              cut 56 |> faultsWith (Problem.Truncated(2L, 0)) 56 "Sample/Branches[1]/Leaves[1]/Data"
              cut 58 |> faultsWith (Problem.Truncated(1L, 0)) 58 "Sample/Crown"
              cut 62 |> faultsWith (Problem.Truncated(4L, 3)) 59 "Sample/Crown/Id")

          testCase "a fault in writing has the path of the value" (fun () ->
              encodeAt classic tree (change 1 (fun leaf -> { leaf with Extra = "set" }))
              |> faultsWith (Problem.LossyField 0s) 58 "Sample/Branches[1]/Leaves[1]/Extra"

              encodeAt flexible tree (change 0 (fun leaf -> { leaf with Extra = loneSurrogate }))
              |> refused "a lone surrogate"
              |> fun fault ->
                  Expect.equal fault.Problem Problem.BadUtf8 "the problem"
                  Expect.equal fault.Path "Sample/Branches[1]/Leaves[0]/Extra" "the path")

          testCase "a fault leaves the writer as it was, and its offset counts from the start of the message" (fun () ->
              let writer = Writer 16
              writer.Int32 42

              Message.writeTo writer classic (messageOf tree) (change 1 (fun leaf -> { leaf with Extra = "set" }))
              |> faultsWith (Problem.LossyField 0s) 58 "Sample/Branches[1]/Leaves[1]/Extra"

              Expect.equal (writer.ToBytes()) (Bytes.ofHex "0000002a") "the bytes before"
              Message.writeTo writer classic (messageOf tree) whole |> ok "a good value"
              Expect.equal (Bytes.toHex (writer.ToBytes())) ("0000002a" + wholeHex) "the bytes after")

          testCase "offsets count from the start of the slice" (fun () ->
              let frame = Bytes.ofHex ("ffffffffff" + wholeHex)

              Message.decode Limits.standard classic (messageOf tree) (frame.Slice(5, 33))
              |> faultsWith (Problem.Truncated(1L, 0)) 33 "Sample/Branches[1]/Name"

              Expect.equal
                  (Message.decode Limits.standard classic (messageOf tree) (frame.Slice(5, frame.Length - 5)))
                  (Ok whole)
                  "the whole slice")

          testCase "a reader does not read beyond its slice" (fun () ->
              let frame = Bytes.ofHex "00000002ffff"
              Message.decode Limits.standard classic (messageOf bytes) (frame.Slice(0, 5))
              |> faultsWith (Problem.Truncated(2L, 1)) 4 "Sample")

          testCase "the text of a fault is one line with path, offset and problem" (fun () ->
              let fault = cut 33 |> refused "cut"
              Expect.equal (fault.ToString()) "Sample/Branches[1]/Name at byte 33: needs 1 byte, but 0 remain" "the line"
              Expect.equal ((Fault.at 3 Problem.BadUtf8).ToString()) "at byte 3: text is not valid UTF-8" "without a path")

          testCase "a fault in a part has the path and the offset that it has in the whole" (fun () ->
              let within path inner = (Fault.within path { Fault.at 3 Problem.BadUtf8 with Path = inner }).Path
              Expect.equal (within "Sample" "Name") "Sample/Name" "a field"
              Expect.equal (within "Sample/Leaves" "[1]/Name") "Sample/Leaves[1]/Name" "an element"
              Expect.equal (within "Sample" "") "Sample" "the part has no path"
              Expect.equal (within "" "Name") "Name" "the whole has no path"
              Expect.equal (Fault.after 4 (Fault.at 3 Problem.BadUtf8)) (Fault.at 7 Problem.BadUtf8) "the offset") ]
