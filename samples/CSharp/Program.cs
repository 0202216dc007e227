using System;
using LibKafka;

Console.WriteLine($"{ClientSoftware.Name} from C#");
