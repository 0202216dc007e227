/// Words of lines.
module LibKafka.Inspect.Wording

/// The name of things of this number, such as `record` for 1 and `records` for 2.
let plural (number: int64) (one: string) (several: string) : string = if number = 1L then one else several
