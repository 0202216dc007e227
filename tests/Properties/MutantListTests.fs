/// The list of mutants must follow the sources. Whether the tests notice each mutant is checked by `dotnet fsi build.fsx mutants`.
module LibKafka.Properties.MutantListTests

open System.IO
open Expecto
open MutantList

let private read (file: string) = File.ReadAllText(Path.Combine(TestData.checkout, file)).ReplaceLineEndings "\n"
let private mutants = parse (read "tests/Mutants/mutants.txt")

[<Tests>]
let tests =
    testList
        "list of mutants"
        [ test "has at least 50" { Expect.isGreaterThanOrEqual mutants.Length 50 "mutants" }

          for mutant in mutants do
              test $"{mutant.File}: {mutant.Old.Trim()}" {
                  Expect.equal ((read mutant.File).Split(mutant.Old).Length - 1) 1 "occurs once in the file"
                  Expect.notEqual mutant.New mutant.Old "it is a change"
                  let project = Path.Combine(TestData.checkout, "tests", mutant.Project)
                  Expect.isTrue (Directory.Exists project) ("the tests are there: " + mutant.Project)
              } ]
