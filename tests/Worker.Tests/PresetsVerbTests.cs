using System.Text.Json;
using Archiver.Core.Configuration;

namespace Archiver.Worker.Tests;

/// <summary><c>archiver presets</c>, which needs neither configuration nor server.</summary>
public sealed class PresetsVerbTests
{
    [Fact]
    public async Task Lists_every_preset_with_its_application_and_version()
    {
        var result = await RunAsync("presets");
        var json = JsonDocument.Parse((await RunAsync("presets", "--json")).Output).RootElement;

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        var lines = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Presets.Names, lines.Skip(1).Select(l => l.Split(' ')[0]));
        Assert.All(Presets.Names, name =>
            Assert.Contains(
                $"{Presets.Get(name).Version}",
                Assert.Single(lines, l => l.StartsWith($"{name} ", StringComparison.Ordinal)),
                StringComparison.Ordinal
            )
        );
        Assert.Equal(Presets.Names, json.EnumerateArray().Select(p => p.GetProperty("name").GetString()));
    }

    [Fact]
    public async Task Prints_a_preset_whose_tables_can_be_pasted_into_a_configuration()
    {
        var result = await RunAsync("presets", "Dify");

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        var printed = JsonDocument.Parse(result.Output).RootElement;
        Assert.Contains("langgenius/dify", printed.GetProperty("Source").GetString(), StringComparison.Ordinal);
        Assert.Equivalent(Presets.Get("dify").Map, Preset.Read("pasted", result.Output).Map);
    }

    [Fact]
    public async Task Refuses_a_name_that_is_none_and_says_which_there_are()
    {
        var result = await RunAsync("presets", "difi");

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.Contains($"There is no preset 'difi'. There are: {Presets.List}.", result.Error, StringComparison.Ordinal);
    }

    private static Task<Archiver.Testing.ProcessResult> RunAsync(params string[] arguments) =>
        ArchiverProcess.RunAsync(arguments, new Dictionary<string, string?>(), TestContext.Current.CancellationToken);
}
