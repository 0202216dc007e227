/// The list of mutants, tests/Mutants/mutants.txt. `build.fsx mutants` makes the mutants, and a test checks that the list follows the sources.
module MutantList

/// A change of one place of a source file, and the tests that must notice it.
type Mutant =
    { Number: int
      File: string
      Old: string
      New: string
      Project: string
      Tests: string }

    override this.ToString() = $"{this.Number} {this.File}: {this.Old.Trim()}  =>  {this.New.Trim()}"

/// The mutants in the text of the list. An exception if one lacks a field.
let parse (list: string) : Mutant list =
    let mutantOf index (paragraph: string) =
        let field (name: string) =
            let start = name + ": "

            match paragraph.Split '\n' |> Array.tryFind (fun line -> line.StartsWith start) with
            | Some line -> line.Substring start.Length
            | None -> failwith $"mutant {index + 1} has no line that starts with \"{start}\""

        match (field "test").Split(", ", 2) with
        | [| project; tests |] ->
            { Number = index + 1; File = field "file"; Old = field "old"; New = field "new"; Project = project; Tests = tests }
        | _ -> failwith $"the tests of mutant {index + 1} are not a project and a test list"

    list.ReplaceLineEndings("\n").Split "\n\n"
    |> Array.filter (fun paragraph -> paragraph.StartsWith "file: ")
    |> Array.mapi mutantOf
    |> List.ofArray
