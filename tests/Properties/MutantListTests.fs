/// The list of mutants must follow the sources. Whether the tests notice each mutant is checked by `dotnet fsi build.fsx mutants`.
module LibKafka.Properties.MutantListTests

open System.IO
open Expecto

let private read (file: string) = File.ReadAllText(Path.Combine(TestData.checkout, file)).ReplaceLineEndings "\n"

let private paragraphs =
    (read "tests/Mutants/mutants.txt").Split "\n\n"
    |> List.ofArray
    |> List.filter (fun paragraph -> paragraph.StartsWith "file: ")

let private field (name: string) (paragraph: string) : string =
    let start = name + ": "
    (paragraph.Split '\n' |> Array.find (fun line -> line.StartsWith start)).Substring start.Length

[<Tests>]
let tests =
    testList
        "list of mutants"
        [ test "has at least 50" { Expect.isGreaterThanOrEqual paragraphs.Length 50 "mutants" }

          for paragraph in paragraphs do
              let file, old = field "file" paragraph, field "old" paragraph

              test $"{file}: {old.Trim()}" { Expect.equal ((read file).Split(old).Length - 1) 1 "occurs once in the file" } ]
