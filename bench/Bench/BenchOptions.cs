using System.Globalization;

namespace Archiver.Bench;

/// <summary>What to measure; <c>run.sh</c> explains the options.</summary>
internal sealed record BenchOptions
{
    public string Command { get; init; } = "compare";

    /// <summary>Sessions in the generated database.</summary>
    public int Sessions { get; init; } = 20_000;

    /// <summary>
    /// Sessions for what is measured one object at a time: several batches, so that the first one's export and the last one's delete,
    /// beside which the store rests, do not count for most.
    /// </summary>
    public int Few => Math.Clamp(Sessions / 4, 200, 5_000);

    public int Rounds { get; init; } = 3;

    /// <summary>Folder for the results.</summary>
    public string Output { get; init; } = ".";

    /// <summary>Only measurements whose name contains one of these, between commas; empty for all.</summary>
    public string Only { get; init; } = "";

    /// <summary>Leaves out what reads archives back, to see a profile of archiving alone.</summary>
    public bool ArchiveOnly { get; init; }

    /// <exception cref="ArgumentException">An option is unknown or has no proper value.</exception>
    public static BenchOptions Parse(string[] arguments)
    {
        var options = new BenchOptions();
        for (var i = 0; i < arguments.Length; i++)
        {
            string Value() => ++i < arguments.Length ? arguments[i] : throw new ArgumentException($"{arguments[i - 1]} needs a value.");
            int Number() =>
                int.TryParse(Value(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
                    ? number
                    : throw new ArgumentException($"{arguments[i - 1]} needs a number above 0, not '{arguments[i]}'.");
            options = arguments[i] switch
            {
                "--sessions" => options with { Sessions = Number() },
                "--rounds" => options with { Rounds = Number() },
                "--output" => options with { Output = Value() },
                "--only" => options with { Only = Value() },
                "--archive-only" => options with { ArchiveOnly = true },
                "--long" => options with { Command = "long" },
                "--memory" => options with { Command = "memory" },
                _ => throw new ArgumentException($"Unknown option {arguments[i]}."),
            };
        }
        return options;
    }
}
